public import FUSEProtocol
public import Synchronization

/// What one serving thread has counted. Only that thread writes, others read at any time: plain relaxed stores, so that
/// counting costs next to nothing and reading disturbs nobody.
// Safe: a row is bounded by the table of opcodes, and the cells live as long as this.
@safe
@usableFromInline
package final class Counters: @unchecked Sendable {
    /// How the requests counted here travelled.
    package enum Channel: String, Codable, Sendable {
        /// On `/dev/fuse`.
        case device
        /// Through one of the kernel's queues.
        case queue
    }

    package let channel: Channel
    /// The kernel's number of the queue.
    package let queue: Int?
    @usableFromInline let cells: UnsafeMutablePointer<Atomic<UInt64>>

    // Layout of `cells`: the fixed ones, then one row for each opcode.
    @inlinable static var fetchedCell: Int { 0 }
    @inlinable static var committedCell: Int { 1 }
    @inlinable static var batchesCell: Int { 2 }
    @inlinable static var copiedCell: Int { 3 }
    @inlinable static var zeroCopiedCell: Int { 4 }
    @inlinable static var zeroCopiedRequestsCell: Int { 5 }
    private static let roundsCell = 6
    @inlinable static var rowStart: Int { 8 }
    @inlinable static var rowSize: Int { 4 + LatencyHistogram.bucketCount }
    private static let cellCount = rowStart + Opcode.tableSize * rowSize

    package init(channel: Channel, queue: Int? = nil) {
        self.channel = channel
        self.queue = queue
        unsafe cells = .allocate(capacity: Counters.cellCount)
        for index in 0..<Counters.cellCount { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe cells.deallocate()
    }

    @inlinable @inline(__always)
    func add(_ amount: UInt64, to cell: Int) {
        unsafe cells[cell].store(cells[cell].load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    @inlinable @inline(__always)
    func row(of opcode: Opcode) -> Int {
        Counters.rowStart + Int(min(opcode.rawValue, UInt32(Opcode.tableSize - 1))) * Counters.rowSize
    }

    /// A request was taken from the kernel.
    @inlinable
    package func countFetched() { add(1, to: Counters.fetchedCell) }

    /// So many requests were taken in one system call.
    @inlinable
    package func countBatch() { add(1, to: Counters.batchesCell) }

    /// So many bytes of a READ or WRITE went through a payload of the ring's.
    @inlinable
    package func countCopied(_ bytes: Int) { add(UInt64(bytes), to: Counters.copiedCell) }

    /// The bytes of one READ or WRITE went straight between a client's pages and a file.
    @inlinable
    package func countZeroCopied(_ bytes: Int) {
        add(UInt64(bytes), to: Counters.zeroCopiedCell)
        add(1, to: Counters.zeroCopiedRequestsCell)
    }

    /// Data in a client's pages had to go through the daemon's memory.
    package func countRound() { add(1, to: Counters.roundsCell) }

    /// A request was answered, or needs no answer.
    @inlinable
    package func countCommitted(_ opcode: Opcode, nanoseconds: UInt64, failed: Bool) {
        let row = row(of: opcode)
        add(1, to: Counters.committedCell)
        add(1, to: row)
        if failed { add(1, to: row + 1) }
        if unsafe nanoseconds > cells[row + 2].load(ordering: .relaxed) {
            unsafe cells[row + 2].store(nanoseconds, ordering: .relaxed)
        }
        add(1, to: row + 4 + LatencyHistogram.bucket(of: nanoseconds))
    }

    @inlinable package var fetched: UInt64 { unsafe cells[Counters.fetchedCell].load(ordering: .relaxed) }
    @inlinable package var committed: UInt64 { unsafe cells[Counters.committedCell].load(ordering: .relaxed) }
    package var copiedBytes: UInt64 { unsafe cells[Counters.copiedCell].load(ordering: .relaxed) }
    package var zeroCopiedBytes: UInt64 { unsafe cells[Counters.zeroCopiedCell].load(ordering: .relaxed) }
    package var zeroCopiedRequests: UInt64 {
        unsafe cells[Counters.zeroCopiedRequestsCell].load(ordering: .relaxed)
    }
    package var rounds: UInt64 { unsafe cells[Counters.roundsCell].load(ordering: .relaxed) }
    package var batches: UInt64 { unsafe cells[Counters.batchesCell].load(ordering: .relaxed) }

    /// What was counted for one opcode.
    package func snapshot(of opcode: Opcode) -> OpcodeCount {
        let row = row(of: opcode)
        var histogram = LatencyHistogram()
        for bucket in 0..<LatencyHistogram.bucketCount {
            histogram.counts[bucket] = unsafe cells[row + 4 + bucket].load(ordering: .relaxed)
        }
        return unsafe OpcodeCount(
            count: cells[row].load(ordering: .relaxed), errors: cells[row + 1].load(ordering: .relaxed),
            maximum: cells[row + 2].load(ordering: .relaxed), histogram: histogram)
    }
}
