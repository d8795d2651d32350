package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// Record locks (fcntl(2)) and flock(2), which are the source's: other mounts and plain users of it see them.
extension LoopbackFS {
    package func getlk(
        _ request: borrowing Request, _ arguments: fuse_lk_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        let range = try LockRange(arguments.lk)
        var lock = range.flock
        // Asked through the owner's own description, so that its own locks are no conflict.
        if let owner = locks.find(owner: arguments.owner, of: file.inode.node) {
            lock = try owner.blocker(of: range)
        } else {
            _ = try Errno.check { unsafe clinux_fcntl_lock(file.descriptor, CLINUX_F_OFD_GETLK, &lock) }
        }
        var out = fuse_lk_out()
        out.lk.type = UInt32(lock.l_type)
        if CInt(lock.l_type) != F_UNLCK {
            out.lk.start = UInt64(lock.l_start)
            out.lk.end = lock.l_len == 0 ? UInt64(Int64.max) : UInt64(lock.l_start + lock.l_len - 1)
            // Nobody is known that holds it outside of this mount.
            let found = locks.conflicts(with: range, on: file.inode.node, otherThan: arguments.owner)
            out.lk.pid = found.first?.lock.process ?? 0
        }
        try reply.append(out)
        return .reply
    }

    package func setlk(_ request: borrowing Request, _ arguments: fuse_lk_in, wait: Bool) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        if arguments.lk_flags & UInt32(FUSE_LK_FLOCK) != 0 {
            return try flock(request.unique, file, type: CInt(bitPattern: arguments.lk.type), wait: wait)
        }
        let range = try LockRange(arguments.lk)
        let node = file.inode.node
        while true {
            guard let owner = try lockOwner(arguments.owner, of: file, isNew: range.type != F_UNLCK) else {
                return .reply
            }
            do throws(Errno) {
                if try owner.set(range, through: arguments.fh) { return .reply }
            } catch .resourceTemporarilyUnavailable where wait {
                let waiter = WaitForGraph.Waiter(
                    owner: arguments.owner, node: node, range: range, thread: request.header.pid)
                if let outcome = try waitForLock(request.unique, owner, waiter, through: arguments.fh) {
                    return outcome
                }
            }
            // FLUSH has let go of all that it held, just now.
            locks.removeIfGone(owner, of: node)
        }
    }

    /// - Returns: nil if there is none, and no new one is wanted.
    private func lockOwner(_ number: UInt64, of file: OpenFile, isNew: Bool) throws(Errno) -> LockOwner? {
        if let known = locks.find(owner: number, of: file.inode.node) { return known }
        guard isNew else { return nil }
        do throws(Errno) {
            let new = LockOwner(number: number, descriptor: try lockDescriptor(file))
            return locks.insert(new, of: file.inode.node)
        } catch .tooManyOpenFiles {
            throw .noLocks
        } catch .tooManyOpenFilesInSystem {
            throw .noLocks
        }
    }

    /// Waits for a record lock on a thread that may.
    ///
    /// - Returns: nil if the owner is gone.
    private func waitForLock(
        _ unique: UInt64, _ owner: LockOwner, _ waiter: WaitForGraph.Waiter, through handle: UInt64
    ) throws(Errno) -> Outcome? {
        let wait = try waits.enter(unique)
        guard owner.beginWaiting(through: handle) else {
            waits.leave(wait)
            return nil
        }
        let end: @Sendable () -> Void = { [waits, locks] in
            waits.leave(wait)
            owner.endWaiting()
            locks.removeIfGone(owner, of: waiter.node)
        }
        return .deferred(
            DeferredWork(dependsOnOthers: true) { [waits, lockWaits] reply in
                do throws(Errno) {
                    try lockWaits.enter(waiter)
                    defer { lockWaits.leave(waiter) }
                    var isHeld = false
                    while !isHeld {
                        try waits.run(wait) { owner.wait(for: waiter.range) }
                        do throws(Errno) {
                            isHeld = try owner.set(waiter.range, through: handle)
                        } catch .resourceTemporarilyUnavailable {
                            // A FLUSH of the owner has let go of it before it was recorded, and somebody was faster.
                        }
                    }
                } catch {
                    end()
                    return reply.fail(error)
                }
                end()
                reply.succeed()
            } orElse: {
                end()
                return .noLocks
            })
    }

    /// flock(2) on the open file description that belongs to the client's.
    private func flock(_ unique: UInt64, _ file: OpenFile, type: CInt, wait: Bool) throws(Errno) -> Outcome {
        let operation: CInt
        switch type {
        case F_RDLCK: operation = LOCK_SH
        case F_WRLCK: operation = LOCK_EX
        case F_UNLCK: operation = LOCK_UN
        default: throw .invalidArgument
        }
        do throws(Errno) {
            _ = try Errno.check { clinux_flock(file.descriptor, operation | LOCK_NB) }
            return .reply
        } catch .wouldBlock where wait {
            // Somebody else has it.
        }
        let waiting = try waits.enter(unique)
        return .deferred(
            DeferredWork(dependsOnOthers: true) { [waits] reply in
                do throws(Errno) {
                    defer { waits.leave(waiting) }
                    try waits.run(waiting) { clinux_flock(file.descriptor, operation) }
                } catch {
                    return reply.fail(error)
                }
                reply.succeed()
            } orElse: { [waits] in
                waits.leave(waiting)
                return .noLocks
            })
    }

    package func interrupt(unique: UInt64) {
        waits.interrupt(unique)
    }

    /// A description of its own for a lock owner, open for reading and writing if that can be had: the owner may lock
    /// through other handles later. Failing that (a read-only filesystem, a program that runs), open as the handle is.
    private func lockDescriptor(_ file: OpenFile) throws(Errno) -> CInt {
        if let both = try? reopen(file.descriptor, O_RDWR) { return both }
        return try reopen(file.descriptor, file.flags & O_ACCMODE)
    }
}
