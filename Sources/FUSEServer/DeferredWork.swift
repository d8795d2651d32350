public import SystemPackage

/// What is done about a request after its turn.
@usableFromInline
package struct DeferredWork: Sendable {
    /// Called once the transport has let go of the request; on a thread of its own if it ``blocks``.
    package let run: @Sendable (consuming DeferredReply) -> Void
    /// Called in place of `run` if there is no room for more that waits: the error to answer with at once.
    @usableFromInline package let refuse: @Sendable () -> Errno
    /// It may last until another request was served, as a wait for a lock does: then it may not hold that one up.
    package let dependsOnOthers: Bool
    /// Whether `run` may block. What only begins something that answers later, as a task does, needs no thread.
    package let blocks: Bool

    /// Both functions must take with them all that they need of the request.
    package init(
        dependsOnOthers: Bool = false, blocks: Bool = true,
        _ run: @escaping @Sendable (consuming DeferredReply) -> Void,
        orElse refuse: @escaping @Sendable () -> Errno
    ) {
        self.dependsOnOthers = dependsOnOthers
        self.blocks = blocks
        self.run = run
        self.refuse = refuse
    }
}
