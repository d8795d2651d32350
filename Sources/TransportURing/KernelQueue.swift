import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// One of the kernel's request queues, and the memory of its entries.
// Safe: its memory outlives its entries, which the ring's worker keeps no longer than the queue.
@safe
final class KernelQueue: @unchecked Sendable {
    /// The queue's id: the number of the CPU whose requests it gets.
    let id: UInt16
    /// Entries that the queue always has for requests that are answered soon.
    let depth: Int
    /// Those, and the spare ones that were added for requests that wait (``RingLoop/makeUp(for:)``).
    let entryCount: Atomic<Int>
    let counters: Counters
    /// Entries that wait in the kernel for a request.
    let freeEntries = Atomic<Int>(0)
    /// The last batch that had a request of this queue. Its ring's thread alone uses it.
    private var lastBatch: UInt64 = 0
    // Of spare entries; its ring's thread alone uses them.
    /// Entries whose requests wait for other threads.
    var deferred = 0
    /// Spare entries that have not held a request yet.
    var fresh = 0
    private var spares: [SpareMemory] = []
    private let headers: UnsafeMutableRawPointer
    private let payloads: BufferMemory
    private let limits: Limits
    private let pageSize = MemoryPage.size

    /// - Throws: ENOMEM.
    init(id: UInt16, depth: Int, limits: Limits) throws(Errno) {
        self.id = id
        self.depth = depth
        self.limits = limits
        entryCount = Atomic(depth)
        counters = Counters(channel: .queue, queue: Int(id))
        payloads = try BufferMemory(byteCount: depth * limits.payloadSize)
        unsafe headers = .allocate(byteCount: depth * pageSize, alignment: pageSize)
    }

    deinit {
        unsafe headers.deallocate()
    }

    /// A request was taken, with others of the same batch of completions.
    func countFetched(in batch: UInt64) {
        counters.countFetched()
        if lastBatch != batch {
            lastBatch = batch
            counters.countBatch()
        }
    }

    /// Makes one more entry.
    ///
    /// - Parameter index: its place among the ring's entries.
    /// - Throws: ENOMEM.
    func makeSpare(index: UInt32) throws(Errno) -> Entry {
        let memory = try SpareMemory(payloadSize: limits.payloadSize)
        spares.append(memory)
        entryCount.add(1, ordering: .relaxed)
        let payload = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.payload[..<limits.entryPayloadSize])
        return unsafe Entry(RingMessage(header: memory.header, payload: payload), queue: self, index: index)
    }

    /// Makes the entries, in the thread that will serve them: it touches each header.
    ///
    /// Their payloads begin on a page each, and are as long as the kernel takes them to be.
    ///
    /// - Parameter first: the first one's place among the ring's entries.
    func makeEntries(from first: Int) -> [Entry] {
        (0..<depth).map { index in
            let header = unsafe headers + index * pageSize
            unsafe header.initializeMemory(as: UInt8.self, repeating: 0, count: pageSize)
            let start = index * limits.payloadSize
            let payload = unsafe UnsafeMutableRawBufferPointer(
                rebasing: payloads.bytes[start..<start + limits.entryPayloadSize])
            return unsafe Entry(
                RingMessage(header: header, payload: payload), queue: self, index: UInt32(first + index))
        }
    }
}
