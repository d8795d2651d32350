public import CFUSE
import CLinux
public import FUSEProtocol
public import FUSEServer
import Glibc
import LinuxSystem
public import SystemPackage

/// Record locks (fcntl(2)) and flock(2), which are the source's: other mounts and plain users of it see them.
extension LoopbackFS {
    public func getlk(
        _ request: borrowing Request, _ arguments: fuse_lk_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        var lock = try LoopbackFS.lock(arguments.lk)
        // Asked through the owner's own description, so that its own locks are no conflict.
        let owner = locks.find(owner: arguments.owner, of: file.inode.node)
        _ = try Errno.check {
            clinux_fcntl_lock(owner?.descriptor ?? file.descriptor, CLINUX_F_OFD_GETLK, &lock)
        }
        var out = fuse_lk_out()
        out.lk.type = UInt32(lock.l_type)
        if CInt(lock.l_type) != F_UNLCK {
            out.lk.start = UInt64(lock.l_start)
            out.lk.end = lock.l_len == 0 ? UInt64(Int64.max) : UInt64(lock.l_start + lock.l_len - 1)
            let range = LockRange(
                start: arguments.lk.start, end: arguments.lk.end, type: Int32(bitPattern: arguments.lk.type), process: 0
            )
            out.lk.pid = locks.holder(of: range, on: file.inode.node, otherThan: arguments.owner)
        }
        try reply.append(out)
        return .reply
    }

    public func setlk(_ request: borrowing Request, _ arguments: fuse_lk_in, wait: Bool) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        if arguments.lk_flags & UInt32(FUSE_LK_FLOCK) != 0 {
            return try flock(request.unique, file, type: CInt(bitPattern: arguments.lk.type), wait: wait)
        }
        let lock = try LoopbackFS.lock(arguments.lk)
        let range = LockRange(
            start: arguments.lk.start, end: arguments.lk.end, type: Int32(bitPattern: arguments.lk.type),
            process: arguments.lk.pid)
        let node = file.inode.node
        let owner: LockOwner
        if let known = locks.find(owner: arguments.owner, of: node) {
            owner = known
        } else {
            if range.type == F_UNLCK { return .reply }
            let new = LockOwner(descriptor: try lockDescriptor(file), handle: arguments.fh)
            owner = locks.insert(new, owner: arguments.owner, of: node)
        }
        do throws(Errno) {
            var tried = lock
            _ = try Errno.check { clinux_fcntl_lock(owner.descriptor, CLINUX_F_OFD_SETLK, &tried) }
            owner.record(range)
            return .reply
        } catch .resourceTemporarilyUnavailable where wait {
            // Somebody else has it.
        } catch .permissionDenied where wait {
            // The same, as POSIX also allows it to be said.
        }
        let waiting = try waits.enter(request.unique)
        return .deferred { [waits] reply in
            do throws(Errno) {
                try waits.run(waiting) {
                    var wanted = lock
                    return clinux_fcntl_lock(owner.descriptor, CLINUX_F_OFD_SETLKW, &wanted)
                }
                owner.record(range)
                reply.succeed()
            } catch {
                reply.fail(error)
            }
        }
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
        return .deferred { [waits] reply in
            do throws(Errno) {
                try waits.run(waiting) { clinux_flock(file.descriptor, operation) }
                reply.succeed()
            } catch {
                reply.fail(error)
            }
        }
    }

    public func interrupt(unique: UInt64) {
        waits.interrupt(unique)
    }

    /// A description of its own for a lock owner, open for reading and writing if that can be had: the owner may lock
    /// through other handles later. Failing that (a read-only filesystem, a program that runs), open as the handle is.
    private func lockDescriptor(_ file: OpenFile) throws(Errno) -> CInt {
        if let both = try? reopen(file.descriptor, O_RDWR) { return both }
        return try reopen(file.descriptor, file.flags & O_ACCMODE)
    }

    private static func lock(_ lock: fuse_file_lock) throws(Errno) -> Glibc.flock {
        guard lock.start <= UInt64(Int64.max), lock.end <= UInt64(Int64.max), lock.start <= lock.end else {
            throw .invalidArgument
        }
        var out = Glibc.flock()
        out.l_type = Int16(truncatingIfNeeded: lock.type)
        out.l_whence = Int16(SEEK_SET)
        out.l_start = Int(lock.start)
        // Length 0 says "to the end, however far that will be".
        out.l_len = lock.end == UInt64(Int64.max) ? 0 : Int(lock.end - lock.start + 1)
        return out
    }
}
