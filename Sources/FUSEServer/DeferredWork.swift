public import SystemPackage

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
