import CLibURing
import FUSEProtocol
import FUSEServer
import SystemPackage

/// A ring's loop that asks its hook.
final class HookedRingLoop: RingLoop {
    private let hook: any RingHook

    init(_ worker: RingWorker, _ hook: any RingHook) throws(TransportError) {
        self.hook = hook
        try super.init(worker)
    }

    override func ringIsReady() { hook.ringIsReady(HookedRing(loop: self)) }

    override func registers(_ entry: Entry) -> Bool {
        let depth = entry.queue.depth
        return hook.registers(entry: Int(entry.index) % depth, of: depth, queue: entry.queue.id)
    }

    override func commitAndFetch(_ entry: UnsafeMutablePointer<Entry>, failed: Bool, at now: UInt64) {
        let queue = unsafe entry.pointee.queue
        let commitID = unsafe entry.pointee.commitID
        let ring = HookedRing(loop: self)
        let wasRead = unsafe entry.pointee.opcode == .read
        guard hook.commits(commitID, queue: queue.id, committed: queue.counters.committed, ring) else { return }
        unsafe super.commitAndFetch(entry, failed: failed, at: now)
        if wasRead && hook.usesBufferAfterCommit(committed: queue.counters.committed) {
            unsafe entry.pointee.payload.initializeMemory(as: UInt8.self, repeating: 0x5a)
        }
        unsafe hook.hasCommitted(
            commitID, entry: entry.pointee.index, queue: queue.id, committed: queue.counters.committed, ring)
    }

    override func pagesSlot(of entry: UInt32) -> UInt16 {
        hook.separatesPages ? super.pagesSlot(of: entry) : UInt16(worker.queues.count)
    }

    override func submitPages(_ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, offset: Int64, count: Int) {
        let committed = unsafe entry.pointee.queue.counters.committed
        guard hook.answersBeforeReading(committed: committed) else {
            return unsafe super.submitPages(entry, file, offset: offset, count: count)
        }
        unsafe commit(entry, inPages: count)
        // By then the pages of another request may be there.
        let submission = unsafe ring.nextSubmission()
        unsafe cliburing_prep_backing(
            submission, IORING_OP_READ_FIXED.rawValue, file.descriptor.rawValue, nil, UInt32(count), offset, 0,
            UserData(.hook).rawValue)
        unsafe cliburing_set_buffer(submission, pagesSlot(of: entry.pointee.index))
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
