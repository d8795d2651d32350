package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// Content of open files.
extension LoopbackFS {
    /// Longer copies and allocations are done on a thread that may block, in bytes.
    private static let longestInlineCopy: UInt64 = 128 << 10
    private static let longestInlineAllocation: UInt64 = 64 << 20
    /// What one request copies at most, in bytes; callers of copy_file_range(2) go on where it ended. So no copy outlasts a time
    /// that requests have, and a client that is interrupted need not wait for the end of its file. In whole blocks of any
    /// filesystem, for those that share them.
    private static let longestCopy: UInt64 = 128 << 20

    package func read(
        _ request: borrowing Request, _ arguments: fuse_read_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let backing = try files.find(arguments.fh) { $0.backing }
        guard let offset = Int64(exactly: arguments.offset) else { throw .invalidArgument }
        return .read(backing, offset: offset, count: Int(arguments.size))
    }

    package func write(
        _ request: borrowing Request, _ arguments: fuse_write_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        var (backing, flags) = try files.find(arguments.fh) { ($0.backing, writeFlags(arguments, $0)) }
        guard let offset = Int64(exactly: arguments.offset) else { throw .invalidArgument }
        if arguments.write_flags & UInt32(FUSE_WRITE_CACHE) != 0 {
            backing = try pageBacking(try files.find(arguments.fh))
        }
        // Nearly every unprivileged write carries this flag; nearly no file has such bits.
        if arguments.write_flags & UInt32(FUSE_WRITE_KILL_SUIDGID) != 0,
            case let file = try files.find(arguments.fh), try Attributes.of(file.descriptor).hasSetID
        {
            if request.pagesCount > 0 { return .bringData }
            let payload = request.payload
            let count = try credentials.droppingSetID(as: Caller(request)) { () throws(Errno) in
                try unsafe payload.withUnsafeBytes { bytes throws(Errno) in
                    var vector = unsafe iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress),
                        iov_len: min(bytes.count, Int(arguments.size)))
                    return try Errno.check {
                        unsafe clinux_pwritev2(backing.descriptor.rawValue, &vector, 1, offset, flags)
                    }
                }
            }
            invalidateAttributes(of: file.inode.node)
            try reply.append(fuse_write_out(size: UInt32(count), padding: 0))
            return .reply
        }
        return .write(backing, offset: offset, flags: flags)
    }

    /// Flags of pwritev2(2): what the client's descriptor has at the moment of the write and the backing one has not.
    private func writeFlags(_ arguments: fuse_write_in, _ file: OpenFile) -> CInt {
        // Pages that the kernel writes back have their place; the end of the file is not it.
        guard arguments.write_flags & UInt32(FUSE_WRITE_CACHE) == 0 else { return 0 }
        let client = CInt(bitPattern: arguments.flags)
        var flags: CInt = 0
        if client & O_APPEND != 0 && !agreedFlags.contains(.writebackCache) { flags |= CLINUX_RWF_APPEND }
        let added = client & ~file.flags
        if added & O_SYNC == O_SYNC {
            flags |= CLINUX_RWF_SYNC
        } else if added & O_DSYNC != 0 {
            flags |= CLINUX_RWF_DSYNC
        }
        return flags
    }

    package func fsync(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        return .fsync(file.backing, dataOnly: arguments.fsync_flags & UInt32(FUSE_FSYNC_FDATASYNC) != 0)
    }

    package func fallocate(_ request: borrowing Request, _ arguments: fuse_fallocate_in) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        guard let offset = Int64(exactly: arguments.offset), let length = Int64(exactly: arguments.length) else {
            throw .invalidArgument
        }
        let mode = CInt(bitPattern: arguments.mode)
        let drops = try credentials.mustDropSetID(of: file.descriptor, for: Caller(request))
        let caller = Caller(request)
        let work: @Sendable () throws(Errno) -> Void = { [self] () throws(Errno) in
            guard drops else {
                _ = try Errno.check { clinux_fallocate(file.descriptor, mode, offset, length) }
                return
            }
            defer { invalidateAttributes(of: file.inode.node) }
            try credentials.droppingSetID(as: caller) { () throws(Errno) in
                _ = try Errno.check { clinux_fallocate(file.descriptor, mode, offset, length) }
            }
        }
        if arguments.length <= LoopbackFS.longestInlineAllocation {
            try work()
            return .reply
        }
        return .deferred(
            DeferredWork { reply in
                do throws(Errno) {
                    try work()
                    reply.succeed()
                } catch {
                    reply.fail(error)
                }
            } orElse: {
                .noMemory
            })
    }

    package func lseek(
        _ request: borrowing Request, _ arguments: fuse_lseek_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        // The kernel does not write its pages back before it asks, so the source would not tell of what lies in them. It
        // asks no more after this, and takes all of a file for data.
        if agreedFlags.contains(.writebackCache) { throw .noFunction }
        let file = try files.find(arguments.fh)
        guard let offset = Int(exactly: arguments.offset) else { throw .noSuchAddressOrDevice }
        // Nothing else uses the descriptor's position.
        let found = try Errno.check { Glibc.lseek(file.descriptor, offset, CInt(bitPattern: arguments.whence)) }
        try reply.append(fuse_lseek_out(offset: UInt64(found)))
        return .reply
    }

    package func copyFileRange(
        _ request: borrowing Request, _ arguments: fuse_copy_file_range_in, extended: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let source = try files.find(arguments.fh_in)
        let target = try files.find(arguments.fh_out)
        guard let from = Int64(exactly: arguments.off_in), let to = Int64(exactly: arguments.off_out) else {
            throw .invalidArgument
        }
        let length = Int(min(arguments.len, LoopbackFS.longestCopy))
        let drops = try credentials.mustDropSetID(of: target.descriptor, for: Caller(request))
        let caller = Caller(request)
        let flags = UInt32(truncatingIfNeeded: arguments.flags)
        let work: @Sendable () throws(Errno) -> Int = { [self] () throws(Errno) in
            func copy() throws(Errno) -> Int {
                var from = from
                var to = to
                return try Errno.check {
                    unsafe clinux_copy_file_range(source.descriptor, &from, target.descriptor, &to, length, flags)
                }
            }
            guard drops else { return try copy() }
            defer { invalidateAttributes(of: target.inode.node) }
            return try credentials.droppingSetID(as: caller) { () throws(Errno) in try copy() }
        }
        if arguments.len <= LoopbackFS.longestInlineCopy {
            let count = try work()
            if extended {
                try reply.append(cfuse_copy_file_range_out(bytes_copied: UInt64(count)))
            } else {
                try reply.append(fuse_write_out(size: UInt32(count), padding: 0))
            }
            return .reply
        }
        return .deferred(
            DeferredWork { reply in
                do throws(Errno) {
                    let count = try work()
                    if extended {
                        reply.succeed(bytes(of: cfuse_copy_file_range_out(bytes_copied: UInt64(count))))
                    } else {
                        reply.succeed(bytes(of: fuse_write_out(size: UInt32(count), padding: 0)))
                    }
                } catch {
                    reply.fail(error)
                }
            } orElse: {
                // The kernel then copies by reading and writing.
                .notSupportedOnSocket
            })
    }
}

/// A struct of the ABI as the body of a reply that comes later.
func bytes<Value: BitwiseCopyable>(of value: Value) -> [UInt8] {
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
}
