import FUSEServer

/// A ring's loop that asks its hook.
final class HookedRingLoop: RingLoop {
    private let hook: any RingHook

    init(_ worker: RingWorker, _ hook: any RingHook) throws(TransportError) {
        self.hook = hook
        try super.init(worker)
    }

    override func ringIsReady() { hook.ringIsReady(HookedRing(loop: self)) }

    override func registers(_ entry: Entry) -> Bool {
        let depth = unsafe entry.queue.depth
        return unsafe hook.registers(entry: Int(entry.index) % depth, of: depth, queue: entry.queue.id)
    }

    override func commitAndFetch(_ entry: UnsafeMutablePointer<Entry>, failed: Bool, at now: UInt64) {
        let queue = unsafe entry.pointee.queue
        let commitID = unsafe entry.pointee.commitID
        let ring = HookedRing(loop: self)
        guard hook.commits(commitID, queue: queue.id, committed: queue.counters.committed, ring) else { return }
        unsafe super.commitAndFetch(entry, failed: failed, at: now)
        unsafe hook.hasCommitted(
            commitID, entry: entry.pointee.index, queue: queue.id, committed: queue.counters.committed, ring)
    }

    override func shallEnd() -> Bool {
        let queues = worker.queues
        if let cause = hook.givesUp(queues: queues.map(\.id), committed: queues.map(\.counters.committed)) {
            session.connectionEnded(cause)
            return true
        }
        return super.shallEnd()
    }
}
