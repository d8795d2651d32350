package import SystemPackage

/// The right and the duty to answer one request later. Dropped unused, it answers EIO.
package struct DeferredReply: ~Copyable, Sendable {
    /// The request's id, as an INTERRUPT names it.
    package let unique: UInt64
    /// Nil once it was used.
    private var send: (@Sendable (Errno?, [UInt8]) -> Void)?

    /// - Parameter send: delivers the reply, an error or a body; called exactly once, on any thread.
    package init(unique: UInt64, send: @escaping @Sendable (Errno?, [UInt8]) -> Void) {
        self.unique = unique
        self.send = send
    }

    deinit {
        send?(.ioError, [])
    }

    /// Answers with success and this body.
    package consuming func succeed(_ body: [UInt8] = []) {
        send?(nil, body)
        send = nil
    }

    /// Answers with an error.
    package consuming func fail(_ error: Errno) {
        send?(error, [])
        send = nil
    }
}
