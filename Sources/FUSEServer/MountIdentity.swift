import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// A mount of a connection, told from a stranger's in the same place.
package struct MountIdentity: Sendable, Hashable {
    /// Where it is: absolute, without symbolic links.
    package let path: FilePath
    /// The mount's id in mountinfo. The kernel gives it away again.
    package let mountID: Int
    /// The connection's number. The kernel gives it away again, too.
    package let connection: UInt32
    /// The mount's id that no other mount ever gets; nil before Linux 6.8.
    package let uniqueID: UInt64?

    package init(path: FilePath, mountID: Int, connection: UInt32, uniqueID: UInt64?) {
        self.path = path
        self.mountID = mountID
        self.connection = connection
        self.uniqueID = uniqueID
    }

    /// The FUSE mount that is there now.
    ///
    /// - Throws: ENOENT if there is none; what open(2) of the mount table says.
    init(at path: FilePath) throws(Errno) {
        guard let entry = try MountTable.top(at: path), entry.isFUSE else { throw .noSuchFileOrDirectory }
        self.init(
            path: path, mountID: entry.mountID, connection: entry.minor, uniqueID: MountIdentity.uniqueID(at: path))
    }

    /// Takes away what was mounted a moment ago and cannot be served.
    static func takeBack(_ path: FilePath) {
        guard let top = (try? MountTable.top(at: path)) ?? nil, top.isFUSE else { return }
        do throws(Errno) {
            let flags: CInt = 8 | 2  // UMOUNT_NOFOLLOW, MNT_DETACH
            _ = try Errno.check { unsafe path.withPlatformString { unsafe umount2($0, flags) } }
        } catch {
            try? unmountUnprivileged(path, lazy: true)
        }
    }

    /// Whether this mount, and not a stranger's, is what one finds there.
    package var isMounted: Bool {
        // Asking takes no descriptor: a daemon that has run out of them must find out, too.
        if let uniqueID { return uniqueID == MountIdentity.uniqueID(at: path) }
        // The kernel gives a mount's id away again as soon as it is unmounted, and the device number when the connection
        // is gone: a daemon that learns late of its unmount finds both at its successor's mount.
        guard let top = (try? MountTable.top(at: path)) ?? nil else { return false }
        return top.mountID == mountID && top.minor == connection && top.isFUSE
    }

    /// statx(2) with STATX_MNT_ID_UNIQUE, which asks nothing of the filesystem.
    private static func uniqueID(at path: FilePath) -> UInt64? {
        var status = statx()
        let flags = CLINUX_AT_SYMLINK_NOFOLLOW | CLINUX_AT_NO_AUTOMOUNT | CLINUX_AT_STATX_DONT_SYNC
        let result = unsafe path.withPlatformString {
            unsafe clinux_statx(AT_FDCWD, $0, flags, CLINUX_STATX_MNT_ID_UNIQUE, &status)
        }
        guard result == 0, status.stx_mask & CLINUX_STATX_MNT_ID_UNIQUE != 0 else { return nil }
        return status.stx_mnt_id
    }

    /// How to unmount.
    package enum Unmount: Sendable {
        /// Refused with EBUSY while files are open.
        case ifIdle
        /// Aborts the connection, so that everything that waits for it fails at once; needs privileges.
        case force
        /// Out of the tree now, gone once it is no longer used.
        case lazy
    }

    /// Unmounts, if it is still there.
    ///
    /// - Throws: EBUSY; EPERM without the right to.
    package func unmount(_ how: Unmount) throws(Errno) {
        guard isMounted else { return }
        let flags: CInt =
            8 /* UMOUNT_NOFOLLOW */ | (how == .force ? 1 /* MNT_FORCE */ : how == .lazy ? 2 /* MNT_DETACH */ : 0)
        do throws(Errno) {
            _ = try Errno.check { unsafe path.withPlatformString { unsafe umount2($0, flags) } }
        } catch .notPermitted where how != .force {
            try MountIdentity.unmountUnprivileged(path, lazy: how == .lazy)
        }
    }

    /// Lets fusermount3, which is set-user-id, unmount what this user mounted.
    ///
    /// - Throws: EBUSY, whatever the reason: fusermount3 says no more; ETIMEDOUT if it does not come back.
    package static func unmountUnprivileged(
        _ mountPoint: FilePath, lazy: Bool, within seconds: Double = 10
    ) throws(Errno) {
        let deadline = Deadline(secondsFromNow: seconds)
        let arguments = ["fusermount3", "-u", "-q"] + (lazy ? ["-z"] : []) + ["--"]
        var pid = pid_t()
        var vector =
            unsafe arguments.map { unsafe strdup($0) } + [mountPoint.withPlatformString { unsafe strdup($0) }, nil]
        defer { unsafe vector.forEach { unsafe free($0) } }
        let error = unsafe posix_spawnp(&pid, "fusermount3", nil, nil, &vector, environ)
        guard error == 0 else { throw Errno(rawValue: error) }
        var status: CInt = 0
        while try Errno.check({ unsafe waitpid(pid, &status, WNOHANG) }) == 0 {
            if deadline.hasPassed {
                kill(pid, SIGKILL)
                throw .timedOut
            }
            usleep(1_000)
        }
        if status != 0 { throw .resourceBusy }
    }
}
