import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// Takes a mount away when this process is gone, however it ended. A process that was killed does nothing more, so another one waits
/// for that.
///
/// Not left to libfuse3, whose helper looks whether the connection is dead as soon as the daemon is: with a ring it is not, since the
/// kernel lets go of a ring's requests somewhat later, and the mount stays.
package final class AutoUnmount: Sendable {
    /// The watcher waits for its end.
    private let descriptor: CInt

    /// Begins to watch.
    ///
    /// - Throws: EMFILE, EAGAIN and what else keeps pipe(2) or fork(2) from it.
    package init(_ mount: MountIdentity) throws(Errno) {
        var pipe: [CInt] = [-1, -1]
        _ = try Errno.check { unsafe clinux_pipe2(&pipe, O_CLOEXEC) }
        descriptor = pipe[1]
        defer { close(pipe[0]) }
        _ = try Errno.check {
            unsafe mount.path.withPlatformString { path in
                unsafe clinux_unmount_after(
                    pipe[0], path, mount.uniqueID == nil ? CLINUX_STATX_MNT_ID : CLINUX_STATX_MNT_ID_UNIQUE,
                    mount.uniqueID ?? UInt64(mount.mountID), mount.connection)
            }
        }
    }

    deinit {
        close(descriptor)
    }
}
