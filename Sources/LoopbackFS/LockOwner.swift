import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// One owner's locks on one file: what is held in the source through a description of its own, and a record of it.
///
/// Both change together, under one lock. For a lock that is waited for that cannot be: it is had first, and taken once more,
/// which changes nothing, when it is recorded.
final class LockOwner: Sendable {
    /// The kernel's number of it.
    let number: UInt64
    /// Of an open file description of its own.
    private let descriptor: CInt
    /// A system call may be made with it held, of fcntl(2) without waiting for a lock. Leaf.
    private let state = Lock(State())
    /// It is not in the table any more, or about to be taken out: nothing may be locked through it.
    let isGone = Atomic<Bool>(false)

    private struct State {
        var held: [Held] = []
        /// The handles (`fh`) that it came through since it last lost all that it held.
        var handles: Set<UInt64> = []
        /// Requests that wait for a lock of its.
        var waiting = 0
    }

    /// A lock, and the handle that it was taken through.
    private struct Held {
        var range: LockRange
        let handle: UInt64
    }

    /// Takes the descriptor over.
    init(number: UInt64, descriptor: CInt) {
        self.number = number
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Takes, converts or lets go of a lock, without waiting.
    ///
    /// - Returns: false if the owner is gone: it must be looked up again.
    /// - Throws: EAGAIN if somebody else has it.
    func set(_ range: LockRange, through handle: UInt64) throws(Errno) -> Bool {
        try state.withLock { state throws(Errno) in
            if isGone.load(ordering: .relaxed) { return false }
            if range.type != F_UNLCK { state.handles.insert(handle) }
            do throws(Errno) {
                try apply(range)
            } catch .permissionDenied {
                // As POSIX also allows it to be said.
                throw .resourceTemporarilyUnavailable
            }
            state.held = state.held.flatMap { held in
                held.range.without(range).map { Held(range: $0, handle: held.handle) }
            }
            if range.type != F_UNLCK { state.held.append(Held(range: range, handle: handle)) }
            return true
        }
    }

    /// Announces a request that will wait: as long as it does, the owner stays.
    ///
    /// - Returns: false if it is gone.
    func beginWaiting(through handle: UInt64) -> Bool {
        state.withLock { state in
            if isGone.load(ordering: .relaxed) { return false }
            state.handles.insert(handle)
            state.waiting += 1
            return true
        }
    }

    func endWaiting() {
        state.withLock { state in
            state.waiting -= 1
            settle(state)
        }
    }

    /// Waits for a lock in the source. It must then be ``set(_:through:)``, which may find that it was lost again.
    ///
    /// - Returns: as fcntl(2).
    func wait(for range: LockRange) -> CInt {
        var wanted = range.flock
        return unsafe clinux_fcntl_lock(descriptor, CLINUX_F_OFD_SETLKW, &wanted)
    }

    /// Who stands in the way of a lock of this owner's, as F_GETLK tells.
    func blocker(of range: LockRange) throws(Errno) -> Glibc.flock {
        var asked = range.flock
        _ = try Errno.check { unsafe clinux_fcntl_lock(descriptor, CLINUX_F_OFD_GETLK, &asked) }
        return asked
    }

    /// Its lock that conflicts with this one.
    func conflict(with range: LockRange) -> LockRange? {
        state.withLock { state in state.held.first { $0.range.conflicts(with: range) }?.range }
    }

    /// Lets go of everything.
    func releaseAll() {
        state.withLock { state in
            try? apply(LockRange(start: 0, end: UInt64(Int64.max), type: F_UNLCK, process: 0))
            state.held = []
            state.handles = []
            settle(state)
        }
    }

    /// Lets go of what was taken through a handle.
    func release(through handle: UInt64) {
        state.withLock { state in
            guard state.handles.remove(handle) != nil else { return }
            for var held in state.held where held.handle == handle {
                held.range.type = F_UNLCK
                try? apply(held.range)
            }
            state.held.removeAll { $0.handle == handle }
            settle(state)
        }
    }

    private func apply(_ range: LockRange) throws(Errno) {
        var lock = range.flock
        _ = try Errno.check { unsafe clinux_fcntl_lock(descriptor, CLINUX_F_OFD_SETLK, &lock) }
    }

    /// It goes with the last handle that can bring it back.
    private func settle(_ state: State) {
        if state.handles.isEmpty && state.waiting == 0 { isGone.store(true, ordering: .relaxed) }
    }
}
