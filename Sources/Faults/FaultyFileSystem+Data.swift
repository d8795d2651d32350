package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import LinuxSystem
package import SystemPackage

/// Content, attributes, space and locks.
extension FaultyFileSystem {
    package func getattr(
        _ request: borrowing Request, _ arguments: fuse_getattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard changesAttributes else { return try inner.getattr(request, arguments, reply: &reply) }
        let node = request.node
        return try rewriting(&reply, size: MemoryLayout<fuse_attr_out>.size) {
            (reply: inout ReplyBuffer) throws(Errno) in
            try inner.getattr(request, arguments, reply: &reply)
        } change: { bytes in
            var bytes = bytes
            bytes.withUnsafeMutableBytes { memory in
                var out = memory.loadUnaligned(as: fuse_attr_out.self)
                change(&out.attr, of: node)
                memory.storeBytes(of: out, as: fuse_attr_out.self)
            }
            return bytes
        }
    }

    package func setattr(
        _ request: borrowing Request, _ arguments: fuse_setattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        var changed = arguments
        let kept = arguments.valid & UInt32(FATTR_CTIME)
        switch fault {
        case .lostTruncate: changed.valid &= ~UInt32(FATTR_SIZE)
        case .timesNotSet:
            changed.valid &= ~UInt32(FATTR_ATIME | FATTR_MTIME | FATTR_ATIME_NOW | FATTR_MTIME_NOW)
        case .setIDKept: changed.valid &= ~UInt32(FATTR_KILL_SUIDGID)
        case .modeToldOnly where arguments.valid & UInt32(FATTR_MODE) != 0:
            modes.withLock { $0[request.node] = arguments.mode & 0o7777 }
            changed.valid &= ~UInt32(FATTR_MODE)
        default: break
        }
        // A request for nothing at all means something else.
        if changed.valid != arguments.valid, changed.valid & ~UInt32(FATTR_FH) == 0 {
            return try getattr(
                request, fuse_getattr_in(getattr_flags: 0, dummy: 0, fh: 0), reply: &reply)
        }
        changed.valid |= kept
        return try inner.setattr(request, changed, reply: &reply)
    }

    package func read(
        _ request: borrowing Request, _ arguments: fuse_read_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let outcome = try inner.read(request, arguments, reply: &reply)
        let isShort = fault == .shortRead || fault == .shortReadSeldom && isTurn(300)
        if isShort, case .read(let file, let offset, let count) = outcome, count > 1 {
            return .read(file, offset: offset, count: count / 2)
        }
        return outcome
    }

    package func write(
        _ request: borrowing Request, _ arguments: fuse_write_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        var changed = arguments
        if fault == .setIDKept { changed.write_flags &= ~UInt32(FUSE_WRITE_KILL_SUIDGID) }
        if request.pagesCount > 0 && changesWrites { return .bringData }
        let outcome = try inner.write(request, changed, reply: &reply)
        guard case .write(let file, let offset, let flags) = outcome else { return outcome }
        let count = min(request.payload.byteCount, Int(arguments.size))
        var data = request.payload.withUnsafeBytes { Array($0.prefix(count)) }
        switch fault {
        case .corruptedByte where isTurn(64) && count > 0: data[count / 2] ^= 0x20
        case .lostWrite where isTurn(20): data = []
        case .lostWriteSeldom where isTurn(300): data = []
        case .shortWrite where count > 1: data.removeLast(count / 2)
        case .doubledWrite where isTurn(64):
            try write(data, to: file, at: offset, flags)
            try write(data, to: file, at: offset + 4096, flags)
            try reply.append(fuse_write_out(size: UInt32(count), padding: 0))
            return .reply
        default: return outcome
        }
        try write(data, to: file, at: offset, flags)
        try reply.append(fuse_write_out(size: UInt32(count), padding: 0))
        return .reply
    }

    /// Whether what is written is not what came.
    private var changesWrites: Bool {
        [.corruptedByte, .lostWrite, .lostWriteSeldom, .shortWrite, .doubledWrite].contains(fault)
    }

    private func write(_ data: [UInt8], to file: BackingFile, at offset: Int64, _ flags: CInt) throws(Errno) {
        if data.isEmpty { return }
        _ = try data.span.bytes.withUnsafeBytes { bytes throws(Errno) in
            var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
            return try Errno.check { clinux_pwritev2(file.descriptor.rawValue, &vector, 1, offset, flags) }
        }
    }

    package func fallocate(_ request: borrowing Request, _ arguments: fuse_fallocate_in) throws(Errno) -> Outcome {
        var changed = arguments
        // FALLOC_FL_PUNCH_HOLE is 2, FALLOC_FL_ZERO_RANGE is 16.
        if fault == .holeFilled, changed.mode & 2 != 0 { changed.mode = changed.mode & ~2 | 16 }
        return try inner.fallocate(request, changed)
    }

    package func statfs(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        guard fault == .wrongSpace else { return try inner.statfs(request, reply: &reply) }
        return try rewriting(&reply, size: MemoryLayout<fuse_statfs_out>.size) {
            (reply: inout ReplyBuffer) throws(Errno) in
            try inner.statfs(request, reply: &reply)
        } change: { bytes in
            var bytes = bytes
            bytes.withUnsafeMutableBytes { memory in
                var out = memory.loadUnaligned(as: fuse_statfs_out.self)
                out.st.bfree = out.st.blocks + 1
                memory.storeBytes(of: out, as: fuse_statfs_out.self)
            }
            return bytes
        }
    }

    package func setxattr(
        _ request: borrowing Request, _ arguments: fuse_setxattr_in, name: Name, value: RawSpan
    ) throws(Errno) -> Outcome {
        if fault == .lostXattr { return .reply }
        if fault == .accessListIgnored, name.equals("system.posix_acl_access") { return .reply }
        var changed = arguments
        if fault == .xattrFlagIgnored { changed.flags = 0 }
        return try inner.setxattr(request, changed, name: name, value: value)
    }

    package func setlk(_ request: borrowing Request, _ arguments: fuse_lk_in, wait: Bool) throws(Errno) -> Outcome {
        if fault == .lockIgnored { return .reply }
        do throws(Errno) {
            return try inner.setlk(request, arguments, wait: wait)
        } catch {
            if fault == .lockGrantedAtTimes, error == .resourceTemporarilyUnavailable, isTurn(4) { return .reply }
            throw error
        }
    }
}
