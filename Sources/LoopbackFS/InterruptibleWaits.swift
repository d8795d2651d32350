import CLinux
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// System calls that wait without limit, for locks, on threads of deferred requests; INTERRUPT ends them.
///
/// Only a signal ends such a call. One that comes just before the call is lost, so it is sent again until the thread
/// has seen that it shall end.
final class InterruptibleWaits: Sendable {
    /// Leaf.
    private let state = Lock<State>(State())

    private struct State {
        var waits: [UInt64: Wait] = [:]
        /// Requests that were interrupted before they came to wait here: another thread may carry INTERRUPT faster.
        var early: [UInt64] = []
        var nextEarly = 0
        var isStopped = false
    }

    private static let earlyCapacity = 64

    /// One request that waits.
    final class Wait: Sendable {
        fileprivate let unique: UInt64
        /// Thread id while the call is under way or about to be.
        fileprivate let thread = Atomic<CInt>(0)
        fileprivate let isEnded = Atomic<Bool>(false)
        fileprivate let isDone = Atomic<Bool>(false)

        fileprivate init(unique: UInt64) {
            self.unique = unique
        }
    }

    /// Announces that a request will wait, before its thread runs.
    ///
    /// - Throws: EINTR if it has been interrupted already, or all waiting has ended.
    func enter(_ unique: UInt64) throws(Errno) -> Wait {
        let wait = state.withLock { state -> Wait? in
            if state.isStopped { return nil }
            if let index = state.early.firstIndex(of: unique) {
                state.early[index] = 0
                return nil
            }
            let wait = Wait(unique: unique)
            state.waits[unique] = wait
            return wait
        }
        guard let wait else { throw .interrupted }
        return wait
    }

    /// Makes a system call that may wait, until it has an answer or the wait is ended.
    ///
    /// - Throws: EINTR if it was ended.
    func run(_ wait: Wait, _ call: () -> CInt) throws(Errno) {
        var signals = sigset_t()
        var former = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, WakeUpSignal.number)
        pthread_sigmask(SIG_UNBLOCK, &signals, &former)
        wait.thread.store(clinux_gettid(), ordering: .sequentiallyConsistent)
        defer {
            wait.isDone.store(true, ordering: .sequentiallyConsistent)
            pthread_sigmask(SIG_SETMASK, &former, nil)
            state.withLock { _ = $0.waits.removeValue(forKey: wait.unique) }
        }
        while !wait.isEnded.load(ordering: .sequentiallyConsistent) {
            do throws(Errno) {
                _ = try Errno.check(retryOnInterrupt: false, call)
                return
            } catch .interrupted {
                // Ours, or a signal of somebody else's: the loop's condition tells.
                continue
            }
        }
        throw .interrupted
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
        if let wait { end(wait) }
    }

    /// Ends every wait, and all that would begin.
    func endAll() {
        let waits = state.withLock { state in
            state.isStopped = true
            return Array(state.waits.values)
        }
        for wait in waits { end(wait) }
    }

    private func end(_ wait: Wait) {
        wait.isEnded.store(true, ordering: .sequentiallyConsistent)
        // A thread that has not begun sees the flag first.
        while !wait.isDone.load(ordering: .sequentiallyConsistent) {
            let thread = wait.thread.load(ordering: .sequentiallyConsistent)
            if thread == 0 { return }
            _ = clinux_tgkill(thread, WakeUpSignal.number)
            usleep(50)
        }
    }
}
