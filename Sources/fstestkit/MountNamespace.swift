import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A mount namespace, named as for mount(8) -N: by the id of a process in it, or by a file such as `/run/netns/NAME`.
struct MountNamespace {
    private let path: FilePath

    init(_ name: String) {
        path = Int32(name).map { FilePath("/proc/\($0)/ns/mnt") } ?? FilePath(argument: name)
    }

    /// This process is in it from now on, in the directory of the same name as before. To be called before other threads are
    /// started.
    func enter() throws {
        do throws(Errno) {
            let folder = getcwd(nil, 0)
            defer { free(folder) }
            let descriptor = try Errno.check { path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) } }
            defer { close(descriptor) }
            _ = try Errno.check { clinux_enter_mounts(descriptor) }
            if let folder { _ = try Errno.check { chdir(folder) } }
        } catch {
            throw fail("cannot enter the mount namespace \(path): \(error)")
        }
    }
}
