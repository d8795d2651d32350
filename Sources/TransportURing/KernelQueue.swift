import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// One of the kernel's request queues, and the memory of its entries.
final class KernelQueue: @unchecked Sendable {
    /// The queue's id: the number of the CPU whose requests it gets.
    let id: UInt16
    let depth: Int
    let counters: Counters
    /// Entries that wait in the kernel for a request.
    let freeEntries = Atomic<Int>(0)
    /// The last batch that had a request of this queue. Its ring's thread alone uses it.
    private var lastBatch: UInt64 = 0
    private let headers: UnsafeMutableRawPointer
    private let payloads: BufferMemory
    private let payloadSize: Int

    private static let pageSize = 4096

    /// - Throws: ENOMEM.
    init(id: UInt16, depth: Int, payloadSize: Int) throws(Errno) {
        self.id = id
        self.depth = depth
        self.payloadSize = (payloadSize + KernelQueue.pageSize - 1) & ~(KernelQueue.pageSize - 1)
        counters = Counters(channel: .ring, queue: Int(id))
        payloads = try BufferMemory(byteCount: depth * self.payloadSize)
        headers = .allocate(byteCount: depth * KernelQueue.pageSize, alignment: KernelQueue.pageSize)
    }

    deinit {
        headers.deallocate()
    }

    /// A request was taken, with others of the same batch of completions.
    func countFetched(in batch: UInt64) {
        counters.countFetched()
        if lastBatch != batch {
            lastBatch = batch
            counters.countBatch()
        }
    }

    /// Makes the entries, in the thread that will serve them: it touches each header.
    func makeEntries() -> [Entry] {
        (0..<depth).map { index in
            let header = headers + index * KernelQueue.pageSize
            header.initializeMemory(as: UInt8.self, repeating: 0, count: KernelQueue.pageSize)
            let payload = payloads.bytes[index * payloadSize..<(index + 1) * payloadSize]
            return Entry(header: header, payload: UnsafeMutableRawBufferPointer(rebasing: payload), queue: self)
        }
    }
}
