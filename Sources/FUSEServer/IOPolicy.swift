import Synchronization

/// Decides for one open file whether the next backing read or write is done inline, in the thread that took the request,
/// or asynchronously on the ring.
///
/// Neither alone is fast: a ring costs time where the backing file answers from memory, and an inline read that waits for
/// a disk blocks a whole queue. Reads of the page cache are asked with RWF_NOWAIT, which answers exactly that question.
/// Direct I/O and buffered writes have no such answer, so what the last requests took decides, and one of
/// ``probeInterval`` requests on the ring is tried inline again.
public struct IOPolicy: ~Copyable, Sendable {
    /// Where the next request goes.
    public enum Path: Sendable {
        /// Inline, and timed.
        case inline
        /// Inline with RWF_NOWAIT, and to the ring for what the page cache does not have.
        case cached
        case ring
    }

    /// Inline requests that take longer are slow, in nanoseconds: a way over the ring costs about 5 µs more than the
    /// system call, and a disk answers in 50 µs or more.
    public static let slow: UInt64 = 20_000
    /// So many slow ones in a row send the following ones to the ring. One alone may have been the scheduler's doing.
    public static let patience: UInt32 = 2
    /// Requests that stay on the ring before one is tried inline again.
    public static let probeInterval: UInt32 = 64

    /// Slow inline requests in a row.
    private let slowInARow = Atomic<UInt32>(0)
    /// Requests left before the next inline try; 0 says inline.
    private let remaining = Atomic<UInt32>(0)
    /// The filesystem does not know RWF_NOWAIT.
    private let onlyTimed = Atomic<Bool>(false)

    public init() {}

    /// Where the next read goes.
    public func readPath(direct: Bool) -> Path {
        direct || onlyTimed.load(ordering: .relaxed) ? timed() : .cached
    }

    /// Where the next write goes.
    public func writePath() -> Path { timed() }

    private func timed() -> Path {
        let left = remaining.load(ordering: .relaxed)
        if left == 0 { return .inline }
        remaining.store(left - 1, ordering: .relaxed)
        return .ring
    }

    /// RWF_NOWAIT failed with EOPNOTSUPP.
    public func nonblockingIsUnsupported() { onlyTimed.store(true, ordering: .relaxed) }

    /// An inline request took this long and moved so many bytes. Copying is not waiting: 2 GB/s are taken for granted.
    public func record(nanoseconds: UInt64, bytes: Int) {
        guard nanoseconds > IOPolicy.slow + UInt64(bytes / 2) else {
            slowInARow.store(0, ordering: .relaxed)
            return
        }
        let count = min(slowInARow.load(ordering: .relaxed) + 1, IOPolicy.patience)
        slowInARow.store(count, ordering: .relaxed)
        if count == IOPolicy.patience { remaining.store(IOPolicy.probeInterval, ordering: .relaxed) }
    }
}
