import CFUSE
import CLibFUSE3
import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// One mounted instance, from this daemon's side: the `/dev/fuse` descriptor, and where it is mounted.
package final class Connection: Sendable {
    /// `/dev/fuse`, as mounted. Transports may clone it (`FUSE_DEV_IOC_CLONE`).
    package let device: FileDescriptor
    package let mount: MountIdentity
    /// Absolute, without symbolic links.
    package var mountPoint: FilePath { mount.path }
    /// The connection's number below `/sys/fs/fuse/connections`: the minor of the mount's `st_dev`.
    package var number: UInt32 { mount.connection }

    /// Mounts on `mountPoint` with mount(8)'s comma-separated `options`, through libfuse3: directly where permitted,
    /// through fusermount3 where not.
    ///
    /// - Parameters:
    ///   - mountPoint: absolute and without symbolic links.
    ///   - options: a C string; names in it need not be UTF-8.
    package init(mountPoint: FilePath, options: [CChar]) throws(MountError) {
        let descriptor = unsafe mountPoint.withPlatformString { unsafe fuse_open_channel($0, options) }
        guard descriptor >= 0 else { throw MountError(mountPoint: mountPoint, cause: nil) }
        do throws(Errno) {
            mount = try MountIdentity(at: mountPoint)
        } catch {
            // Without a descriptor left the table cannot be read; then this is the one that it takes.
            close(descriptor)
            MountIdentity.takeBack(mountPoint)
            throw MountError(mountPoint: mountPoint, cause: error)
        }
        device = FileDescriptor(rawValue: descriptor)
        _ = clinux_fcntl(descriptor, F_SETFD, CLong(FD_CLOEXEC))
    }

    /// Over a descriptor, and a mount that it is said to be of. Takes the descriptor over.
    package init(device: FileDescriptor, mount: MountIdentity) {
        self.device = device
        self.mount = mount
    }

    /// Over a descriptor that something else than the kernel answers: a test's scripted peer. Nothing is mounted.
    package convenience init(peer: FileDescriptor) {
        self.init(
            device: peer, mount: MountIdentity(path: "/nonexistent", mountID: -1, connection: 0, uniqueID: nil))
    }

    deinit {
        try? device.close()
    }

    /// Whether this connection, and not a stranger's mount, is what one finds at the mount point.
    package var isMounted: Bool { mount.isMounted }

    /// Requests that the kernel has not seen answered yet, whether the daemon has taken them or not.
    package var waiting: Int {
        let text = try? readWhole(FilePath("/sys/fs/fuse/connections/\(number)/waiting"))
        return text.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    /// Unmounts, if what is mounted there is still this connection.
    ///
    /// - Throws: EBUSY; EPERM without the right to.
    package func unmount(_ how: MountIdentity.Unmount) throws(Errno) { try mount.unmount(how) }

    /// Has the kernel not follow symbolic links of this mount.
    ///
    /// - Throws: EPERM without CAP_SYS_ADMIN; EINVAL before Linux 5.14.
    package func ignoreSymbolicLinks() throws(Errno) {
        _ = try Errno.check { unsafe mountPoint.withPlatformString { unsafe clinux_mount_set_nosymfollow($0) } }
    }

    /// Registers a backing file with the kernel for passthrough (`FUSE_DEV_IOC_BACKING_OPEN`, protocol 7.40).
    ///
    /// - Returns: the id that an OPEN reply names.
    /// - Throws: EPERM without CAP_SYS_ADMIN; EOPNOTSUPP and ELOOP for files that cannot be passed through.
    package func registerBacking(_ descriptor: CInt) throws(Errno) -> Int32 {
        var map = cfuse_backing_map(fd: descriptor, flags: 0, padding: 0)
        return try Errno.check { unsafe clinux_ioctl(device.rawValue, CFUSE_DEV_IOC_BACKING_OPEN, &map) }
    }

    /// Ends a registration.
    package func unregisterBacking(_ id: Int32) {
        var id = UInt32(bitPattern: id)
        _ = unsafe clinux_ioctl(device.rawValue, CFUSE_DEV_IOC_BACKING_CLOSE, &id)
    }

    /// Has the kernel ask for a file's attributes anew (`FUSE_NOTIFY_INVAL_INODE`), whatever timeout they were given with.
    ///
    /// It waits for nothing, and a node that the kernel does not know is none of its business: there is no error.
    package func invalidateAttributes(of node: UInt64) {
        var message = (
            fuse_out_header(
                len: UInt32(MemoryLayout<fuse_out_header>.size + MemoryLayout<fuse_notify_inval_inode_out>.size),
                error: CInt(FUSE_NOTIFY_INVAL_INODE.rawValue), unique: 0),
            fuse_notify_inval_inode_out(ino: node, off: -1, len: 0)
        )
        _ = unsafe write(device.rawValue, &message, MemoryLayout.size(ofValue: message))
    }

    /// Has the kernel send a request of no meaning (NOTIFY_REPLY with no data) through the queue of a CPU
    /// (`FUSE_NOTIFY_RETRIEVE`). The calling thread goes to that CPU for a moment, since that is what chooses the queue.
    ///
    /// - Parameter node: a regular file that the kernel knows.
    /// - Throws: EINVAL if this process may not use the CPU, or the node is no regular file; ENOENT, ENOMEM.
    package func askForNothing(on cpu: Int, about node: UInt64) throws(Errno) {
        var message = (
            fuse_out_header(
                len: UInt32(MemoryLayout<fuse_out_header>.size + MemoryLayout<fuse_notify_retrieve_out>.size),
                error: CInt(FUSE_NOTIFY_RETRIEVE.rawValue), unique: 0),
            fuse_notify_retrieve_out(
                notify_unique: Connection.noRequest, nodeid: node, offset: 0, size: 0, padding: 0)
        )
        _ = try Errno.check {
            unsafe clinux_write_on_cpu(CInt(cpu), device.rawValue, &message, MemoryLayout.size(ofValue: message))
        }
    }

    /// An id that the kernel does not come to by counting.
    private static let noRequest: UInt64 = 1 << 62
}
