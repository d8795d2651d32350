import Glibc
public import LinuxSystem
public import SystemPackage

/// Why a mount did not come up.
public enum DaemonError: Error, Sendable, CustomStringConvertible {
    /// The program could not be started.
    case notStarted(String, Errno)
    /// It ended before anything was mounted. With the last lines of its log.
    case exited(ExitStatus, log: String)
    /// Nothing was mounted within the time.
    case notMounted(Duration, log: String)
    /// Mounted, but the first request got no answer within the time.
    case notReady(Duration, log: String)

    public var description: String {
        switch self {
        case .notStarted(let program, let error): "\(program) could not be started: \(error)"
        case .exited(let status, let log): "the daemon ended before it mounted: \(status)\(DaemonError.quote(log))"
        case .notMounted(let time, let log): "not mounted within \(DaemonError.words(time))\(DaemonError.quote(log))"
        case .notReady(let time, let log):
            "mounted, but no answer within \(DaemonError.words(time))\(DaemonError.quote(log))"
        }
    }

    private static func words(_ time: Duration) -> String { "\(Int(time.seconds.rounded())) s" }

    private static func quote(_ log: String) -> String { log.isEmpty ? "" : ": \(log)" }
}

/// A mount and the daemon that serves it, as the bench sees them: a child process and an entry of mountinfo.
///
/// No method touches the mount in the bench's own process, and each returns by its deadline.
public final class MountedDaemon: Sendable {
    public let target: Target
    public let source: FilePath
    public let mountPoint: FilePath
    /// The mount; nil for a directory.
    public let mount: MountEntry?
    /// The daemon; nil for a directory, or if a mount helper's daemon could not be found.
    public let process: ChildProcess?
    /// The command that was run, for repeating by hand.
    public let command: [String]
    /// What the daemon printed.
    public let log: FilePath
    let bench: Workbench

    init(
        target: Target, source: FilePath, mountPoint: FilePath, mount: MountEntry?, process: ChildProcess?,
        command: [String], log: FilePath, bench: Workbench
    ) {
        self.target = target
        self.source = source
        self.mountPoint = mountPoint
        self.mount = mount
        self.process = process
        self.command = command
        self.log = log
        self.bench = bench
    }

    /// The folder that tests work in: the mount point, or the source of a directory.
    public var root: FilePath { mount == nil ? source : mountPoint }

    public var connection: FuseConnection? { mount.map { FuseConnection($0.minor) } }

    /// Whether this very mount is still there (another at the same place does not count).
    public var isMounted: Bool {
        guard let mount else { return false }
        // The kernel gives ids away again at once: a stranger's mount may have got this one's.
        return MountTable.current().contains {
            $0.mountID == mount.mountID && $0.minor == mount.minor && $0.isFUSE && $0.mountPoint == mountPoint.string
        }
    }

    /// The last lines of the daemon's log.
    public var logTail: String { MountedDaemon.tail(of: log) }

    package static func tail(of log: FilePath, lines: Int = 5) -> String {
        (contents(of: log.string) ?? "").split(separator: "\n").suffix(lines).joined(separator: " | ")
    }
}
