import CLibURing
import FUSEServer
import Glibc
import LinuxSystem
import Logging
import Synchronization
import SystemPackage

/// The ring's entries, and those that are added while it serves.
///
/// A request that waits for a lock keeps its entry for as long as the lock is held, and as many as `depth` of them would leave
/// none for the others: for the unlock, too, that all of them wait for. So for each that waits beyond the first the queue
/// gets one more entry, and it keeps them all for the next time. What bounds them is ``BlockingWork/limit``.
///
/// The kernel gives a late entry no request that waits in its queue already: that is for a commit to do. Where all entries
/// hold requests that wait, no commit is to come, and the new entry alone would not help those who queued up before it was
/// there. Then the thread has the kernel send a request of no meaning, whose commit takes the next one along.
extension RingLoop {
    /// The entries that the queues begin with, and room for the spare ones: entries do not move.
    static func makeEntries(of queues: [KernelQueue]) -> UnsafeMutableBufferPointer<Entry> {
        let count = queues.reduce(0) { $0 + $1.depth }
        let room = UnsafeMutableBufferPointer<Entry>.allocate(capacity: count + queues.count * BlockingWork.limit)
        var made = 0
        for queue in queues { made = unsafe room[made...].initialize(fromContentsOf: queue.makeEntries(from: made)) }
        return unsafe UnsafeMutableBufferPointer(start: room.baseAddress, count: count)
    }

    /// Prepares to hand an entry to the kernel.
    func prepareRegistration(of entry: Entry) {
        prepareRegister(entry, UserData(.command, entry: entry.index))
        entry.queue.freeEntries.add(1, ordering: .relaxed)
    }

    /// The request of one more entry is about to wait: sees to it that the queue goes on.
    ///
    /// - Throws: ENOMEM and what else may keep it from that. A request whose answer may depend on others must then be answered
    ///   at once: its commit keeps the queue going.
    func makeUp(for entry: UnsafeMutablePointer<Entry>) throws(Errno) {
        let queue = unsafe entry.pointee.queue
        if queue.entryCount.load(ordering: .relaxed) - queue.deferred < queue.depth { try addEntry(to: queue) }
        // Of the entries that have held a request, is any left whose commit will come? Where there is a pool, requests may wait for
        // a buffer while entries are free: the commit that gave one back took along a single request, this one.
        let free = queue.freeEntries.load(ordering: .relaxed)
        let idle = unsafe queue.pool == nil ? queue.fresh : free
        guard queue.entryCount.load(ordering: .relaxed) - queue.deferred - idle <= 0 else { return }
        do throws(Errno) {
            try unsafe session.connection.askForNothing(on: Int(queue.id), about: entry.pointee.node)
        } catch  where unsafe queue.pool != nil && free > 0 {
            // Most likely nobody waits, and the next request that comes has an entry.
            session.log.debug("queue \(queue.id): cannot be kept going: \(error.name)")
        }
    }

    /// Adds an entry and hands it to the kernel.
    private func addEntry(to queue: KernelQueue) throws(Errno) {
        let index = unsafe entries.count
        let queues = worker.queues
        guard index < queues.reduce(0, { $0 + $1.depth }) + queues.count * BlockingWork.limit else { throw .noMemory }
        guard payloads.zeroCopy == .off || queues.count + index < RingLoop.tableSize(queues: queues) else {
            throw .noMemory
        }
        var entry = try queue.makeSpare(index: UInt32(index))
        entry.isFresh = true
        queue.fresh += 1
        unsafe (entries.baseAddress! + index).initialize(to: entry)
        unsafe entries = unsafe UnsafeMutableBufferPointer(start: entries.baseAddress, count: index + 1)
        prepareRegistration(of: entry)
        try ring.submit()
        if let error = refusal(of: UInt32(index)) { throw error }
    }

    /// A refused REGISTER has completed already; its completion stays for ``RingLoop/serve()``.
    private func refusal(of index: UInt32) -> Errno? {
        let data = UserData(.command, entry: index).rawValue
        for number in 0..<ring.completionCount {
            let completion = ring.completion(number)
            if completion.user_data == data && completion.res < 0 { return Errno(rawValue: -completion.res) }
        }
        return nil
    }

    /// A spare entry holds its first request, or was refused: for want of memory it may be, the queue has others.
    ///
    /// - Returns: whether that is all there is to it.
    func spareCompleted(_ entry: UnsafeMutablePointer<Entry>, result: CInt) -> Bool {
        let queue = unsafe entry.pointee.queue
        unsafe entry.pointee.isFresh = false
        queue.fresh -= 1
        guard result == -ENOMEM else { return false }
        unsafe entry.pointee.state = .dead
        queue.entryCount.subtract(1, ordering: .relaxed)
        session.log.warning("queue \(queue.id): the kernel has no memory for one more entry")
        return true
    }
}
