import BenchCore
import CLinux
import Glibc
import LinuxSystem

/// A mount namespace of the run's own: a mount elsewhere on the machine that hangs cannot stall it (xfstests calls df(1) for all
/// mounts before each test), and no mount of its own is left when its last process has ended.
public enum PrivateMounts {
    private static let variable = "FSTESTKIT_PRIVATE_MOUNTS"

    /// Whether this process has one already.
    public static var isEntered: Bool { getenv(variable) != nil }

    /// Starts this very command again in a namespace of its own, by unshare(1). Returns only if that fails.
    ///
    /// To be called before anything is done.
    public static func enter(arguments: [String]) {
        setenv(variable, "1", 1)
        let program = linkTarget("/proc/self/exe") ?? arguments[0]
        let command = ["unshare", "--mount", "--propagation", "private", "--", program] + arguments.dropFirst()
        var vector: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        execvp("unshare", &vector)
        unsetenv(variable)
    }

    /// Detaches the FUSE and loop mounts that the namespace began with: they are others', and this copy of them would keep
    /// their daemons and devices alive.
    ///
    /// - Parameter keeping: paths that the run needs.
    public static func detachForeign(keeping paths: [String]) {
        for mount in MountTable.current().reversed() {
            let isLoop = mount.source.hasPrefix("/dev/loop")
            guard mount.isFUSE || isLoop, mount.mountPoint != "/" else { continue }
            let isNeeded = paths.contains { $0 == mount.mountPoint || $0.hasPrefix(mount.mountPoint + "/") }
            if !isNeeded { IsolatedCall.unmount(mount.path, lazy: true).run() }
        }
    }
}
