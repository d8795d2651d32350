package import FUSEServer
package import SystemPackage

/// Where a session's hook can have a ring misbehave, too. A ring without one asks for it nowhere on a request's way (``RingLoop``).
package protocol RingHook: SessionHook {
    /// The memory of a queue is about to be allocated.
    func memoryIsAllocated(queue: UInt16, of count: Int) throws(Errno)
    /// A ring's thread is about to be started.
    func threadStarts(queues: [UInt16]) throws(TransportError)
    /// A ring is set up; INIT is not answered yet.
    func ringIsReady(_ ring: HookedRing)
    /// Whether an entry, the `number`th of its queue's `depth`, is registered.
    func registers(entry number: Int, of depth: Int, queue: UInt16) -> Bool
    /// A reply is about to be committed.
    ///
    /// - Parameter committed: how many of this queue were before it.
    /// - Returns: whether it shall be.
    func commits(_ commitID: UInt64, queue: UInt16, committed: UInt64, _ ring: HookedRing) -> Bool
    /// A reply was committed, in the same batch as what is prepared now.
    func hasCommitted(_ commitID: UInt64, entry: UInt32, queue: UInt16, committed: UInt64, _ ring: HookedRing)
    /// Whether each entry has a place of its own for clients' pages.
    var separatesPages: Bool { get }
    /// Whether a READ into a client's pages is answered before it is begun.
    func answersBeforeReading(committed: UInt64) -> Bool
    /// Whether the payload of a READ's reply is written to after its commit.
    func usesBufferAfterCommit(committed: UInt64) -> Bool
    /// The cause for which a ring's thread ends before its time; nil for none.
    func givesUp(queues: [UInt16], committed: [UInt64]) -> StopCause?
}

/// The commands that a hook can have a ring submit, with its next batch.
package struct HookedRing {
    unowned(unsafe) let loop: RingLoop

    /// Commits anything to any queue. The outcome means nothing, but for that of an `entry`, which is taken for its next request.
    package func commit(_ commitID: UInt64, queue: UInt16, as entry: UInt32? = nil) {
        unsafe loop.prepareCommit(commitID, on: queue, entry.map { UserData(.command, entry: $0) } ?? UserData(.hook))
    }

    /// Offers the first entry to the kernel at once.
    package func register() {
        unsafe loop.prepareRegister(loop.entries[0], UserData(.hook))
        try? unsafe loop.ring.submit()
    }
}
