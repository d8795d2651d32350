import CLinux
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// System calls that wait without limit, for locks, on threads of deferred requests. INTERRUPT ends them, and so does the
/// session's stop, and the time that the kernel gives a request.
///
/// Only a signal ends such a call, and one that comes just before the call is lost. So a thread of their own, which is there
/// only while it is needed, sends it again until all have seen that they shall end: at once at first, then ever less often,
/// since a thread that sleeps in the source uninterruptibly may take its time.
final class InterruptibleWaits: Sendable {
    /// Leaf.
    private let state = Lock<State>(State())
    /// Nanoseconds that a wait may last; 0 for any time. Set before the first one.
    private let longest = Atomic<UInt64>(0)

    private struct State {
        var waits: [UInt64: Wait] = [:]
        /// Requests that were interrupted before they came to wait here: another thread may carry INTERRUPT faster.
        var early: [UInt64] = []
        var nextEarly = 0
        var isStopped = false
        /// The thread that sends signals again is there.
        var hasKeeper = false
    }

    private static let earlyCapacity = 64
    /// Microseconds between the keeper's rounds.
    private static let pauses: (first: UInt32, last: UInt32) = (50, 100_000)

    /// One request that waits.
    final class Wait: Sendable {
        fileprivate let unique: UInt64
        /// When its time is up, by the monotonic clock; 0 for never.
        fileprivate let end: UInt64
        /// Thread id while the call is under way or about to be.
        fileprivate let thread = Atomic<CInt>(0)
        /// What it ended with, as soon as it shall end: an errno.
        fileprivate let verdict = Atomic<CInt>(0)

        fileprivate init(unique: UInt64, end: UInt64) {
            self.unique = unique
            self.end = end
        }

        /// It shall end with this error, unless it shall already.
        fileprivate func end(with error: Errno) {
            _ = verdict.compareExchange(expected: 0, desired: error.rawValue, ordering: .sequentiallyConsistent)
            // A thread that has not begun sees the verdict first.
            let thread = thread.load(ordering: .sequentiallyConsistent)
            if thread != 0 { _ = clinux_tgkill(thread, WakeUpSignal.number) }
        }
    }

    /// Lets no wait last longer than this, in seconds; nil for any time. ENOLCK is what it then ends with.
    func limit(to seconds: Double?) {
        longest.store(UInt64((seconds ?? 0) * 1e9), ordering: .relaxed)
    }

    /// Announces that a request will wait, before its thread runs.
    ///
    /// - Throws: EINTR if it has been interrupted already, ECONNABORTED if all waiting has ended.
    func enter(_ unique: UInt64) throws(Errno) -> Wait {
        let longest = longest.load(ordering: .relaxed)
        let wait = Wait(unique: unique, end: longest == 0 ? 0 : MonotonicClock.now() + longest)
        let refusal = state.withLock { state -> Errno? in
            if state.isStopped { return .connectionAbort }
            if let index = state.early.firstIndex(of: unique) {
                state.early[index] = 0
                return .interrupted
            }
            state.waits[unique] = wait
            return nil
        }
        if let refusal { throw refusal }
        if longest != 0 { startKeeper() }
        return wait
    }

    /// Makes a system call that may wait, until it has an answer or the wait is ended.
    ///
    /// - Throws: besides the call's own errors what it was ended with: EINTR, ECONNABORTED, ENOLCK.
    func run(_ wait: Wait, _ call: () -> CInt) throws(Errno) {
        var signals = sigset_t()
        var former = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, WakeUpSignal.number)
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, &former)
        wait.thread.store(clinux_gettid(), ordering: .sequentiallyConsistent)
        defer {
            wait.thread.store(0, ordering: .sequentiallyConsistent)
            unsafe pthread_sigmask(SIG_SETMASK, &former, nil)
        }
        while true {
            let verdict = wait.verdict.load(ordering: .sequentiallyConsistent)
            if verdict != 0 { throw Errno(rawValue: verdict) }
            do throws(Errno) {
                _ = try Errno.check(retryOnInterrupt: false, call)
                return
            } catch .interrupted {
                // Ours, or a signal of somebody else's: the verdict tells.
                continue
            }
        }
    }

    /// A request waits no longer, or never did.
    func leave(_ wait: Wait) {
        state.withLock { _ = $0.waits.removeValue(forKey: wait.unique) }
    }

    /// Ends a request's wait, now or as soon as it begins.
    func interrupt(_ unique: UInt64) {
        let wait = state.withLock { state -> Wait? in
            if let wait = state.waits[unique] { return wait }
            if state.early.count < InterruptibleWaits.earlyCapacity {
                state.early.append(unique)
            } else {
                state.early[state.nextEarly] = unique
                state.nextEarly = (state.nextEarly + 1) % InterruptibleWaits.earlyCapacity
            }
            return nil
        }
        guard let wait else { return }
        wait.end(with: .interrupted)
        startKeeper()
    }

    /// Ends every wait, and all that would begin.
    func endAll() {
        let waits = state.withLock { state in
            state.isStopped = true
            return Array(state.waits.values)
        }
        for wait in waits { wait.end(with: .connectionAbort) }
        if !waits.isEmpty { startKeeper() }
    }

    // MARK: The keeper

    /// Starts the thread unless it is there. Without one to be had the next that is to end, or to begin, brings it.
    private func startKeeper() {
        let isNeeded = state.withLock { state in
            defer { state.hasKeeper = true }
            return !state.hasKeeper
        }
        guard isNeeded else { return }
        do throws(Errno) {
            _ = try ServerThread.start(name: "lock waits") { [self] in keep() }
        } catch {
            state.withLock { $0.hasKeeper = false }
        }
    }

    private func keep() {
        var pause = InterruptibleWaits.pauses.first
        while let ending = ending() {
            for wait in ending { wait.end(with: .noLocks) }
            usleep(pause)
            pause = ending.isEmpty ? InterruptibleWaits.pauses.last : min(2 * pause, InterruptibleWaits.pauses.last)
        }
    }

    /// The waits that shall end, or whose time is up; nil once there is nothing to do.
    private func ending() -> [Wait]? {
        let now = MonotonicClock.now()
        return state.withLock { state in
            let ending = state.waits.values.filter { wait in
                wait.verdict.load(ordering: .relaxed) != 0 || wait.end != 0 && wait.end <= now
            }
            if ending.isEmpty && !state.waits.values.contains(where: { $0.end != 0 }) {
                state.hasKeeper = false
                return nil
            }
            return ending
        }
    }
}
