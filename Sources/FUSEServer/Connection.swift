import CFUSE
import CLibFUSE3
import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// One mounted instance, from this daemon's side: the `/dev/fuse` descriptor, and where it is mounted.
public final class Connection: Sendable {
    /// `/dev/fuse`, as mounted. Transports may clone it (`FUSE_DEV_IOC_CLONE`).
    public let device: FileDescriptor
    /// Absolute, without symbolic links.
    public let mountPoint: String
    /// The connection's number below `/sys/fs/fuse/connections`: the minor of the mount's `st_dev`.
    public let number: UInt32
    /// The mount's id in mountinfo. The kernel gives it away again.
    private let mountID: Int
    /// The mount's id that no other mount ever gets; nil before Linux 6.8.
    private let uniqueMountID: UInt64?

    /// Mounts on `mountPoint` with mount(8)'s comma-separated `options`, through libfuse3: directly where permitted,
    /// through fusermount3 where not.
    ///
    /// - Parameter mountPoint: absolute and without symbolic links.
    public init(mountPoint: String, options: String) throws(MountError) {
        let descriptor = fuse_open_channel(mountPoint, options)
        guard descriptor >= 0 else { throw MountError(mountPoint: mountPoint, cause: nil) }
        let entry: MountEntry
        do throws(Errno) {
            guard let top = try MountTable.top(at: mountPoint), top.isFUSE else { throw .noSuchFileOrDirectory }
            entry = top
        } catch {
            // Without a descriptor left the table cannot be read; then this is the one that it takes.
            close(descriptor)
            Connection.takeBack(mountPoint)
            throw MountError(mountPoint: mountPoint, cause: error)
        }
        device = FileDescriptor(rawValue: descriptor)
        self.mountPoint = mountPoint
        number = entry.minor
        mountID = entry.mountID
        uniqueMountID = Connection.uniqueMountID(at: mountPoint)
        _ = clinux_fcntl(descriptor, F_SETFD, CLong(FD_CLOEXEC))
    }

    /// Over a descriptor that something else than the kernel answers: a test's scripted peer. Nothing is mounted.
    package init(peer: FileDescriptor) {
        device = peer
        mountPoint = "/nonexistent"
        number = 0
        mountID = -1
        uniqueMountID = nil
    }

    deinit {
        try? device.close()
    }

    /// Takes away what was mounted a moment ago and cannot be served.
    private static func takeBack(_ mountPoint: String) {
        guard let top = (try? MountTable.top(at: mountPoint)) ?? nil, top.isFUSE else { return }
        do throws(Errno) {
            _ = try Errno.check { umount2(mountPoint, 8 | 2 /* UMOUNT_NOFOLLOW, MNT_DETACH */) }
        } catch {
            try? unmountUnprivileged(mountPoint, lazy: true)
        }
    }

    /// Whether this connection, and not a stranger's mount, is what one finds at the mount point.
    public var isMounted: Bool {
        // Asking takes no descriptor: a daemon that has run out of them must find out, too.
        if let uniqueMountID { return uniqueMountID == Connection.uniqueMountID(at: mountPoint) }
        // The kernel gives a mount's id away again as soon as it is unmounted, and the device number when the connection
        // is gone: a daemon that learns late of its unmount finds both at its successor's mount.
        guard let top = (try? MountTable.top(at: mountPoint)) ?? nil else { return false }
        return top.mountID == mountID && top.minor == number && top.isFUSE
    }

    /// statx(2) with STATX_MNT_ID_UNIQUE, which asks nothing of the filesystem.
    private static func uniqueMountID(at mountPoint: String) -> UInt64? {
        var status = statx()
        let flags = CLINUX_AT_SYMLINK_NOFOLLOW | CLINUX_AT_NO_AUTOMOUNT | CLINUX_AT_STATX_DONT_SYNC
        guard clinux_statx(AT_FDCWD, mountPoint, flags, CLINUX_STATX_MNT_ID_UNIQUE, &status) == 0,
            status.stx_mask & CLINUX_STATX_MNT_ID_UNIQUE != 0
        else { return nil }
        return status.stx_mnt_id
    }

    /// How to unmount.
    public enum Unmount: Sendable {
        /// Refused with EBUSY while files are open.
        case ifIdle
        /// Aborts the connection, so that everything that waits for it fails at once; needs privileges.
        case force
        /// Out of the tree now, gone once it is no longer used.
        case lazy
    }

    /// Unmounts, if what is mounted there is still this connection.
    ///
    /// - Throws: EBUSY; EPERM without the right to.
    public func unmount(_ how: Unmount) throws(Errno) {
        guard isMounted else { return }
        let flags: CInt =
            8 /* UMOUNT_NOFOLLOW */ | (how == .force ? 1 /* MNT_FORCE */ : how == .lazy ? 2 /* MNT_DETACH */ : 0)
        do throws(Errno) {
            _ = try Errno.check { umount2(mountPoint, flags) }
        } catch .notPermitted where how != .force {
            try Connection.unmountUnprivileged(mountPoint, lazy: how == .lazy)
        }
    }

    /// Registers a backing file with the kernel for passthrough (`FUSE_DEV_IOC_BACKING_OPEN`, protocol 7.40).
    ///
    /// - Returns: the id that an OPEN reply names.
    /// - Throws: EPERM without CAP_SYS_ADMIN; EOPNOTSUPP and ELOOP for files that cannot be passed through.
    public func registerBacking(_ descriptor: CInt) throws(Errno) -> Int32 {
        var map = cfuse_backing_map(fd: descriptor, flags: 0, padding: 0)
        return try Errno.check { clinux_ioctl(device.rawValue, CFUSE_DEV_IOC_BACKING_OPEN, &map) }
    }

    /// Ends a registration.
    public func unregisterBacking(_ id: Int32) {
        var id = UInt32(bitPattern: id)
        _ = clinux_ioctl(device.rawValue, CFUSE_DEV_IOC_BACKING_CLOSE, &id)
    }

    /// Has the kernel ask for a file's attributes anew (`FUSE_NOTIFY_INVAL_INODE`), whatever timeout they were given with.
    ///
    /// It waits for nothing, and a node that the kernel does not know is none of its business: there is no error.
    public func invalidateAttributes(of node: UInt64) {
        var message = (
            fuse_out_header(
                len: UInt32(MemoryLayout<fuse_out_header>.size + MemoryLayout<fuse_notify_inval_inode_out>.size),
                error: CInt(FUSE_NOTIFY_INVAL_INODE.rawValue), unique: 0),
            fuse_notify_inval_inode_out(ino: node, off: -1, len: 0)
        )
        _ = write(device.rawValue, &message, MemoryLayout.size(ofValue: message))
    }

    /// Has the kernel send a request of no meaning (NOTIFY_REPLY with no data) through the queue of a CPU
    /// (`FUSE_NOTIFY_RETRIEVE`). The calling thread goes to that CPU for a moment, since that is what chooses the queue.
    ///
    /// - Parameter node: a regular file that the kernel knows.
    /// - Throws: EINVAL if this process may not use the CPU, or the node is no regular file; ENOENT, ENOMEM.
    public func askForNothing(on cpu: Int, about node: UInt64) throws(Errno) {
        var message = (
            fuse_out_header(
                len: UInt32(MemoryLayout<fuse_out_header>.size + MemoryLayout<fuse_notify_retrieve_out>.size),
                error: CInt(FUSE_NOTIFY_RETRIEVE.rawValue), unique: 0),
            fuse_notify_retrieve_out(
                notify_unique: Connection.noRequest, nodeid: node, offset: 0, size: 0, padding: 0)
        )
        _ = try Errno.check {
            clinux_write_on_cpu(CInt(cpu), device.rawValue, &message, MemoryLayout.size(ofValue: message))
        }
    }

    /// An id that the kernel does not come to by counting.
    private static let noRequest: UInt64 = 1 << 62

    /// Lets fusermount3, which is set-user-id, unmount what this user mounted.
    ///
    /// - Throws: EBUSY, whatever the reason: fusermount3 says no more.
    public static func unmountUnprivileged(_ mountPoint: String, lazy: Bool) throws(Errno) {
        let arguments = ["fusermount3", "-u", "-q"] + (lazy ? ["-z"] : []) + ["--", mountPoint]
        var pid = pid_t()
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        let error = posix_spawnp(&pid, "fusermount3", nil, nil, &vector, environ)
        guard error == 0 else { throw Errno(rawValue: error) }
        var status: CInt = 0
        _ = try Errno.check { waitpid(pid, &status, 0) }
        if status != 0 { throw .resourceBusy }
    }
}

/// The mount failed.
public struct MountError: Error, CustomStringConvertible, Sendable {
    public let mountPoint: String
    /// Why the mount was taken back at once; nil where libfuse3 or fusermount3 have said on standard error why there was none.
    public let cause: Errno?

    public var description: String {
        "cannot mount on \(mountPoint)" + (cause.map { ": it is not to be found in the mount table: \($0)" } ?? "")
    }
}
