import CLinux
public import Synchronization

/// Decides for one open file whether the next backing read or write is done inline, in the thread that took the request,
/// or asynchronously on the ring.
///
/// Neither alone is fast: a ring costs time where the backing file answers from memory, and an inline read that waits for
/// a disk blocks a whole queue. Reads of the page cache are asked with RWF_NOWAIT, which answers exactly that question.
/// Direct I/O and buffered writes have no such answer, so what the last inline request did decides: whether it slept. A
/// long time alone says nothing, since copying takes long too, and on a busy machine so does waiting for a processor.
/// One of ``probeInterval`` requests on the ring is tried inline again.
@usableFromInline
package struct IOPolicy: ~Copyable, Sendable {
    /// Where the next request goes.
    @usableFromInline
    package enum Path: Sendable {
        /// Inline, and timed.
        case inline
        /// Inline with RWF_NOWAIT, and to the ring for what the page cache does not have.
        case cached
        case ring
    }

    /// Inline requests that take longer may have slept, in nanoseconds: a way over the ring costs about 5 µs more than the
    /// system call, and a disk answers in 50 µs or more.
    @inlinable package static var slow: UInt64 { 20_000 }
    /// Requests that stay on the ring before one is tried inline again.
    @inlinable package static var probeInterval: UInt32 { 64 }

    /// The last inline request was slow, so the next is watched.
    @usableFromInline let suspects = Atomic<Bool>(false)
    /// Requests left before the next inline try; 0 says inline.
    @usableFromInline let remaining = Atomic<UInt32>(0)
    /// The filesystem does not know RWF_NOWAIT.
    @usableFromInline let onlyTimed = Atomic<Bool>(false)

    package init() {}

    /// Where the next read goes.
    ///
    /// - Parameter alone: no other request waits for this thread, nor did lately: then nobody minds if it sleeps, and the
    ///   way over the ring would be for nothing.
    @inlinable
    package func readPath(direct: Bool, alone: Bool) -> Path {
        direct || alone || onlyTimed.load(ordering: .relaxed) ? timed(alone) : .cached
    }

    /// Where the next write goes.
    @inlinable
    package func writePath(alone: Bool) -> Path { timed(alone) }

    @inlinable
    func timed(_ alone: Bool) -> Path {
        if alone { return .inline }
        let left = remaining.load(ordering: .relaxed)
        if left == 0 { return .inline }
        remaining.store(left - 1, ordering: .relaxed)
        return .ring
    }

    /// RWF_NOWAIT failed with EOPNOTSUPP.
    package func nonblockingIsUnsupported() { onlyTimed.store(true, ordering: .relaxed) }

    /// Called before an inline request.
    ///
    /// - Parameter now: ``Clock/now()``, or what it was a moment ago.
    package func begin(at now: UInt64) -> Mark {
        // Counting sleeps is a system call: not for a thread that is alone and whose requests are known to sleep already.
        let watches = suspects.load(ordering: .relaxed) && remaining.load(ordering: .relaxed) == 0
        return Mark(began: now, sleeps: watches ? clinux_thread_sleeps() : nil)
    }

    /// Called after an inline request, in the same thread.
    ///
    /// - Parameter now: ``Clock/now()``.
    package func end(_ mark: Mark, at now: UInt64) {
        let isSlow = now - mark.began > IOPolicy.slow
        record(slow: isSlow, slept: isSlow ? mark.sleeps.map { clinux_thread_sleeps() > $0 } : false)
    }

    /// - Parameter slept: nil if that was not watched.
    func record(slow: Bool, slept: Bool?) {
        let suspect = slow && slept ?? true
        if suspect != suspects.load(ordering: .relaxed) { suspects.store(suspect, ordering: .relaxed) }
        if suspect && slept == true { remaining.store(IOPolicy.probeInterval, ordering: .relaxed) }
    }

    /// When an inline request began, and how often its thread had slept, if that is watched.
    package struct Mark {
        fileprivate let began: UInt64
        let sleeps: Int?
    }
}
