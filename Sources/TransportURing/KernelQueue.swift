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
    /// What the kernel cuts into payload buffers for all entries; nil where each has one of its own.
    let pool: UnsafeMutableRawBufferPointer?
    private let limits: Limits
    private let pageSize = MemoryPage.size
    /// Buffers of the pool that requests in hand have. Only the ring's thread changes it.
    let buffersInUse = Atomic<Int>(0)
    /// Of those, the ones whose requests wait for other threads. Its ring's thread alone uses it.
    var buffersDeferred = 0

    /// A queue whose memory costs more than this when a byte of it is used has too large pages, all queues together; in bytes.
    private static let firstTouches = 32 << 20

    /// - Parameters:
    ///   - queueCount: of the session.
    ///   - plan: nil where each entry has a payload of its own.
    /// - Throws: ENOMEM.
    init(id: UInt16, of queueCount: Int, depth: Int, limits: Limits, pool plan: PoolPlan?) throws(Errno) {
        self.id = id
        self.depth = depth
        self.limits = limits
        entryCount = Atomic(depth)
        counters = Counters(channel: .queue, queue: Int(id))
        payloads = try BufferMemory(
            byteCount: plan?.bytesPerQueue ?? depth * limits.payloadSize,
            hugePages: queueCount * BufferMemory.hugePageSize <= KernelQueue.firstTouches)
        if let plan {
            unsafe pool = unsafe UnsafeMutableRawBufferPointer(rebasing: payloads.bytes[..<plan.bytesPerQueue])
        } else {
            unsafe pool = nil
        }
        unsafe headers = .allocate(byteCount: depth * pageSize, alignment: pageSize)
    }

    deinit {
        unsafe headers.deallocate()
    }

    /// Payload buffers that the entries share; 0 where each has one of its own.
    var bufferCount: Int { unsafe (pool?.count ?? 0) / limits.entryPayloadSize }

    /// Finds the payload of the request that an entry holds, where the kernel has picked it out of the pool.
    ///
    /// - Throws: EIO if there is no such place.
    func takeBuffer(for message: inout RingMessage) throws(Errno) {
        guard let pool = unsafe pool else { return }
        try unsafe message.takeBuffer(of: pool, size: limits.entryPayloadSize)
        if unsafe message.payload.count > 0 {
            buffersInUse.store(buffersInUse.load(ordering: .relaxed) + 1, ordering: .relaxed)
        }
    }

    /// The request that an entry holds is answered: the kernel takes its buffer back with the commit.
    func giveBuffer(of message: RingMessage) {
        guard unsafe pool != nil && message.payload.count > 0 else { return }
        buffersInUse.store(buffersInUse.load(ordering: .relaxed) - 1, ordering: .relaxed)
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
        let memory = try SpareMemory(payloadSize: unsafe pool == nil ? limits.payloadSize : 0)
        spares.append(memory)
        entryCount.add(1, ordering: .relaxed)
        let payload = unsafe UnsafeMutableRawBufferPointer(
            rebasing: pool?[..<0] ?? memory.payload[..<limits.entryPayloadSize])
        return unsafe Entry(RingMessage(header: memory.header, payload: payload), queue: self, index: index)
    }

    /// Makes the entries, in the thread that will serve them: it touches each header.
    ///
    /// Payloads of their own begin on a page each, and are as long as the kernel takes them to be. Those of a pool are found with each
    /// request.
    ///
    /// - Parameter first: the first one's place among the ring's entries.
    func makeEntries(from first: Int) -> [Entry] {
        (0..<depth).map { index in
            let header = unsafe headers + index * pageSize
            unsafe header.initializeMemory(as: UInt8.self, repeating: 0, count: pageSize)
            let start = index * limits.payloadSize
            let payload = unsafe UnsafeMutableRawBufferPointer(
                rebasing: pool?[..<0] ?? payloads.bytes[start..<start + limits.entryPayloadSize])
            return unsafe Entry(
                RingMessage(header: header, payload: payload), queue: self, index: UInt32(first + index))
        }
    }
}
