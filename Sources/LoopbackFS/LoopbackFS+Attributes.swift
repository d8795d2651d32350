package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// GETATTR, STATX and SETATTR.
extension LoopbackFS {
    package func getattr(
        _ request: borrowing Request, _ arguments: fuse_getattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let inode = try inode(request.node)
        let file = arguments.getattr_flags & UInt32(FUSE_GETATTR_FH) != 0 ? arguments.fh : nil
        try reply.append(attributes(inode, try status(of: inode, openAs: file, mask: Attributes.basicMask)))
        return .reply
    }

    package func statx(
        _ request: borrowing Request, _ arguments: cfuse_statx_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let inode = try inode(request.node)
        let file = arguments.getattr_flags & UInt32(FUSE_GETATTR_FH) != 0 ? arguments.fh : nil
        let status = try status(of: inode, openAs: file, mask: Attributes.fullMask)
        var out = cfuse_statx_out()
        let timeout = LoopbackFS.split(attributeTimeout)
        out.attr_valid = timeout.seconds
        out.attr_valid_nsec = timeout.nanoseconds
        inode.told(status)
        out.stat = Attributes.fuseStatx(status, inode: visibleNumber(inode))
        try reply.append(out)
        return .reply
    }

    /// Through the client's open file if the request names one, which costs no reopening by handle.
    private func status(of inode: Inode, openAs file: UInt64?, mask: UInt32) throws(Errno) -> FileStatus {
        if let file, let open = try? files.find(file) { return try Attributes.of(open.descriptor, mask: mask) }
        let pin = try inode.pin()
        return try Attributes.of(pin.descriptor, mask: mask)
    }

    package func setattr(
        _ request: borrowing Request, _ arguments: fuse_setattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let inode = try inode(request.node)
        let valid = Int32(bitPattern: arguments.valid)
        let file = valid & FATTR_FH != 0 ? try? files.find(arguments.fh) : nil
        let pin = try inode.pin()
        // chown(2) clears set-id bits, so the mode comes after it; both change ctime, so the times come last.
        let settings = FATTR_UID | FATTR_GID | FATTR_MODE | FATTR_SIZE | FATTR_ATIME | FATTR_MTIME | FATTR_CTIME
        if valid & settings == 0 {
            // A chown(2) that keeps both ids.
            try dropSetID(of: pin.descriptor, as: Caller(request))
        }
        if valid & (FATTR_UID | FATTR_GID) != 0 {
            let user = valid & FATTR_UID != 0 ? arguments.uid : .max
            let group = valid & FATTR_GID != 0 ? arguments.gid : .max
            let caller = Caller(request)
            // The daemon itself may keep a set-group-id bit of any group's file.
            if try credentials.mustDropSetID(of: pin.descriptor, for: caller) {
                try dropSetID(of: pin.descriptor, as: caller)
            }
            _ = try Errno.check { unsafe fchownat(pin.descriptor, "", user, group, CLINUX_AT_EMPTY_PATH) }
        }
        if valid & FATTR_MODE != 0 {
            try unsafe DescriptorPath(pin.descriptor).withCString { path throws(Errno) in
                _ = try Errno.check { unsafe fchmodat(descriptors, path, arguments.mode & 0o7777, 0) }
            }
        }
        if valid & FATTR_SIZE != 0 {
            guard let size = Int(exactly: arguments.size) else { throw .fileTooLarge }
            if valid & FATTR_KILL_SUIDGID != 0, try Attributes.of(pin.descriptor).hasSetID {
                try credentials.droppingSetID(as: Caller(request)) { () throws(Errno) in
                    try truncate(pin.descriptor, file, to: size)
                }
            } else {
                try truncate(pin.descriptor, file, to: size)
            }
        }
        if valid & (FATTR_ATIME | FATTR_MTIME) != 0 {
            do throws(Errno) {
                try setTimes(pin.descriptor, valid, arguments)
            } catch .notPermitted where isStamp(valid, of: inode) {
                // The file has become append-only or immutable while it was open: its times are the source's.
            }
        }
        let status = try Attributes.of(pin.descriptor)
        try reply.append(attributes(inode, status))
        return .reply
    }

    /// Clears set-id bits as the caller's chown(2) does, or fails as that would.
    private func dropSetID(of descriptor: CInt, as caller: Caller) throws(Errno) {
        try credentials.droppingSetID(as: caller) { () throws(Errno) in
            _ = try Errno.check { unsafe fchownat(descriptor, "", .max, .max, CLINUX_AT_EMPTY_PATH) }
        }
    }

    /// Whether this is the kernel's own setting of the times that it has kept (`fuse_flush_times()` in fs/fuse/dir.c), which
    /// an fsync(2) or close(2) of the file would fail with.
    private func isStamp(_ valid: Int32, of inode: Inode) -> Bool {
        agreedFlags.contains(.writebackCache) && valid == FATTR_MTIME | FATTR_CTIME | FATTR_FH
            && pageWriter(of: inode) != nil
    }

    private func truncate(_ descriptor: CInt, _ file: OpenFile?, to size: Int) throws(Errno) {
        if let file, file.flags & O_ACCMODE != O_RDONLY {
            _ = try Errno.check { ftruncate(file.descriptor, size) }
            return
        }
        try credentials.prepareThread()
        try unsafe DescriptorPath(descriptor).withCString { path throws(Errno) in
            _ = try Errno.check { unsafe Glibc.truncate(path, size) }
        }
    }

    private func setTimes(_ descriptor: CInt, _ valid: Int32, _ arguments: fuse_setattr_in) throws(Errno) {
        func time(_ given: Int32, _ now: Int32, _ seconds: UInt64, _ nanoseconds: UInt32) -> timespec {
            if valid & given == 0 { return timespec(tv_sec: 0, tv_nsec: LoopbackFS.utimeOmit) }
            if valid & now != 0 { return timespec(tv_sec: 0, tv_nsec: LoopbackFS.utimeNow) }
            return timespec(tv_sec: Int(bitPattern: UInt(seconds)), tv_nsec: Int(nanoseconds))
        }
        let access = time(FATTR_ATIME, FATTR_ATIME_NOW, arguments.atime, arguments.atimensec)
        let modification = time(FATTR_MTIME, FATTR_MTIME_NOW, arguments.mtime, arguments.mtimensec)
        try unsafe DescriptorPath(descriptor).withCString { path throws(Errno) in
            let times = (access, modification)
            _ = try unsafe withUnsafeBytes(of: times) { times throws(Errno) in
                try Errno.check {
                    unsafe utimensat(descriptors, path, times.baseAddress!.assumingMemoryBound(to: timespec.self), 0)
                }
            }
        }
    }

    /// `UTIME_NOW` and `UTIME_OMIT` of utimensat(2), which are macros.
    private static let utimeNow = 1 << 30 - 1
    private static let utimeOmit = 1 << 30 - 2
}
