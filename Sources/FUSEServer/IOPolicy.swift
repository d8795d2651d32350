import Synchronization

/// Decides for one open file whether the next backing read or write is done inline, in the thread that took the request,
/// or asynchronously on the ring.
///
/// Neither alone is fast: a ring costs a queue's whole latency where the backing file answers from memory, and an inline
/// read that waits for a disk blocks a whole queue. Buffered files are asked with RWF_NOWAIT, which answers exactly that
/// question; direct ones have no such answer, so what the last requests took decides, and every 64th request on the ring
/// is tried inline again.
public struct IOPolicy: ~Copyable, Sendable {
    /// Where the next request goes.
    public enum Path: Sendable {
        case inline
        case ring
    }

    /// Inline requests that take longer than this send the following ones to the ring, in nanoseconds. A round trip
    /// through the ring costs about 5 µs more than the system call; a disk answers in 50 µs or more.
    public static let slow: UInt64 = 20_000
    /// Requests that stay on the ring before one is tried inline again.
    public static let probeInterval: UInt32 = 64

    /// Requests left before the next inline try; 0 says inline.
    private let remaining = Atomic<UInt32>(0)

    public init() {}

    /// Where the next direct request goes.
    public func next() -> Path {
        let left = remaining.load(ordering: .relaxed)
        if left == 0 { return .inline }
        remaining.store(left - 1, ordering: .relaxed)
        return .ring
    }

    /// An inline request took so long, in nanoseconds.
    public func record(inlineNanoseconds time: UInt64) {
        if time > IOPolicy.slow { remaining.store(IOPolicy.probeInterval, ordering: .relaxed) }
    }
}
