public import SystemPackage

/// What a handler decided about a request. Returning it is the reply: a handler can neither forget it nor reply twice.
@usableFromInline
package enum Outcome {
    /// Success; the body is what the handler wrote into the reply buffer.
    case reply
    /// Failure, with the errno that the caller shall see.
    case failure(Errno)
    /// The opcode takes no reply (FORGET).
    case noReply
    /// The transport reads `count` bytes of the backing file at `offset` and replies with them.
    case read(BackingFile, offset: Int64, count: Int)
    /// The transport writes the request's payload to the backing file at `offset`, with `flags` of pwritev2(2)
    /// (RWF_APPEND), and replies with the number of bytes written.
    case write(BackingFile, offset: Int64, flags: CInt)
    /// The handler needs to see the data of a WRITE that lies in the client's pages (``Request/pagesCount``): the transport brings it
    /// and hands the request in again.
    case bringData
    /// The transport has the backing file synchronised.
    case fsync(BackingFile, dataOnly: Bool)
    /// The reply comes later, from another thread, which may block.
    case deferred(DeferredWork)
}
