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
    private let memory: UnsafeMutableRawPointer
    private let memorySize: Int
    private let payloadSize: Int

    private static let pageSize = 4096

    /// Maps the memory; its pages come from the NUMA node of the thread that touches them first.
    ///
    /// - Throws: ENOMEM.
    init(id: UInt16, depth: Int, payloadSize: Int) throws(Errno) {
        self.id = id
        self.depth = depth
        self.payloadSize = (payloadSize + KernelQueue.pageSize - 1) & ~(KernelQueue.pageSize - 1)
        memorySize = depth * (KernelQueue.pageSize + self.payloadSize)
        counters = Counters(channel: .ring, queue: Int(id))
        let mapped = mmap(
            nil, memorySize, PROT_READ | PROT_WRITE, MAP_PRIVATE | CInt(0x20) /* MAP_ANONYMOUS */, -1, 0)
        guard let mapped, mapped != UnsafeMutableRawPointer(bitPattern: -1) else { throw .noMemory }
        memory = mapped
    }

    deinit {
        munmap(memory, memorySize)
    }

    /// A request was taken, with others of the same batch of completions.
    func countFetched(in batch: UInt64) {
        counters.countFetched()
        if lastBatch != batch {
            lastBatch = batch
            counters.countBatch()
        }
    }

    /// Makes the entries, in the thread that will serve them: it touches each header, and each payload's first page.
    func makeEntries() -> [Entry] {
        (0..<depth).map { index in
            let header = memory + index * KernelQueue.pageSize
            let payload = memory + depth * KernelQueue.pageSize + index * payloadSize
            header.storeBytes(of: 0, as: UInt64.self)
            payload.storeBytes(of: 0, as: UInt64.self)
            return Entry(
                header: header, payload: UnsafeMutableRawBufferPointer(start: payload, count: payloadSize), queue: self)
        }
    }
}
