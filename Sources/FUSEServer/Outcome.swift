public import SystemPackage

/// What a handler decided about a request. Returning it is the reply: a handler can neither forget it nor reply twice.
public enum Outcome {
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
    /// The transport has the backing file synchronised.
    case fsync(BackingFile, dataOnly: Bool)
    /// The reply comes later, from another thread, which may block.
    case deferred(DeferredWork)
}

/// What is done about a request after its turn.
public struct DeferredWork: Sendable {
    /// Called once the transport has let go of the request, on a thread that may block.
    public let run: @Sendable (consuming DeferredReply) -> Void
    /// Called in place of `run` if there is no room for more that waits: the error to answer with at once.
    public let refuse: @Sendable () -> Errno
    /// It may last until another request was served, as a wait for a lock does: then it may not hold that one up.
    public let dependsOnOthers: Bool

    /// Both functions must take with them all that they need of the request.
    public init(
        dependsOnOthers: Bool = false, _ run: @escaping @Sendable (consuming DeferredReply) -> Void,
        orElse refuse: @escaping @Sendable () -> Errno
    ) {
        self.dependsOnOthers = dependsOnOthers
        self.run = run
        self.refuse = refuse
    }
}

/// The right and the duty to answer one request later. Dropped unused, it answers EIO.
public struct DeferredReply: ~Copyable, Sendable {
    /// The request's id, as an INTERRUPT names it.
    public let unique: UInt64
    /// Nil once it was used.
    private var send: (@Sendable (Errno?, [UInt8]) -> Void)?

    /// - Parameter send: delivers the reply, an error or a body; called exactly once, on any thread.
    public init(unique: UInt64, send: @escaping @Sendable (Errno?, [UInt8]) -> Void) {
        self.unique = unique
        self.send = send
    }

    deinit {
        send?(.ioError, [])
    }

    /// Answers with success and this body.
    public consuming func succeed(_ body: [UInt8] = []) {
        send?(nil, body)
        send = nil
    }

    /// Answers with an error.
    public consuming func fail(_ error: Errno) {
        send?(error, [])
        send = nil
    }
}
