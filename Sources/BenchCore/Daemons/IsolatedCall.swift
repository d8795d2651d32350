import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// A system call that a dead or stopped daemon may block for ever.
public enum IsolatedCall: Sendable, CustomStringConvertible {
    /// umount2(2), in this mount namespace or that of the file; the mount point itself is never looked into.
    case unmount(FilePath, lazy: Bool = false, force: Bool = false, namespace: String? = nil)
    /// mount(2) with `MS_REMOUNT` among the flags.
    case remount(FilePath, flags: UInt)
    /// statx(2), with nothing taken from the kernel's caches: answered once the connection is up, and as long as it is.
    case stat(FilePath)
    /// write(2) of a text into a file of sysfs.
    case write(String, text: String)
    case sync
    case syncFileSystem(String)
    /// ioctl(2) with a pointer to a 32-bit number.
    case ioctl(String, request: UInt, value: UInt32)

    public var description: String {
        switch self {
        case .unmount(let path, let lazy, let force, let namespace):
            "umount\(lazy ? " --lazy" : "")\(force ? " --force" : "")\(namespace.map { " -N \($0)" } ?? "") \(path)"
        case .remount(let path, _): "mount -o remount \(path)"
        case .stat(let path): "stat \(path)"
        case .write(let path, let text): "echo \(text) > \(path)"
        case .sync: "sync"
        case .syncFileSystem(let path): "sync -f \(path)"
        case .ioctl(let path, let request, _): "ioctl \(path) 0x\(String(request, radix: 16))"
        }
    }

    /// Makes it and waits.
    ///
    /// - Returns: its errno, or nil for success; ETIMEDOUT if it did not come back, and then its child is killed, which a
    ///   call in D state outlives until the connection ends.
    @discardableResult
    public func run(within duration: Duration = .seconds(10)) -> Errno? {
        do {
            let child = try ChildProcess.isolated(self)
            guard let status = child.wait(duration) else {
                child.kill(within: .milliseconds(100))
                return .timedOut
            }
            if case .exited(let code) = status { return code == 0 ? nil : Errno(rawValue: code) }
            return .interrupted
        } catch {
            return error
        }
    }

    func start() throws(Errno) -> Int32 {
        try Errno.check {
            switch self {
            case .unmount(let path, let lazy, let force, let namespace):
                // MNT_FORCE 1, MNT_DETACH 2, UMOUNT_NOFOLLOW 8.
                path.withPlatformString {
                    clinux_isolated(
                        Int32(CLINUX_ISOLATED_UMOUNT.rawValue), $0, (force ? 1 : 0) | (lazy ? 2 : 0) | 8, namespace, 0)
                }
            case .remount(let path, let flags):
                path.withPlatformString { clinux_isolated(Int32(CLINUX_ISOLATED_REMOUNT.rawValue), $0, flags, nil, 0) }
            case .stat(let path):
                path.withPlatformString { clinux_isolated(Int32(CLINUX_ISOLATED_STAT.rawValue), $0, 0, nil, 0) }
            case .write(let path, let text): clinux_isolated(Int32(CLINUX_ISOLATED_WRITE.rawValue), path, 0, text, 0)
            case .sync: clinux_isolated(Int32(CLINUX_ISOLATED_SYNC.rawValue), "/", 0, nil, 0)
            case .syncFileSystem(let path): clinux_isolated(Int32(CLINUX_ISOLATED_SYNCFS.rawValue), path, 0, nil, 0)
            case .ioctl(let path, let request, let value):
                clinux_isolated(Int32(CLINUX_ISOLATED_IOCTL.rawValue), path, request, nil, value)
            }
        }
    }
}
