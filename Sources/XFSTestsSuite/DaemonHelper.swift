public import BenchCore
import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// A mount helper for any daemon that stays in the foreground: starts it, waits for its mount, and leaves it.
public struct DaemonHelper: Sendable {
    public enum Problem: Error, Sendable {
        /// The option `source=` is missing, or a mount point.
        case usage
        case notStarted(String, Errno)
        case ended(ExitStatus)
        case notMounted(Duration)
        /// Another mount options cannot be had without the daemon.
        case remount
        /// A flag of mount(8)'s that cannot be done for any daemon, or none of mount(8)'s.
        case flag(String)
    }

    /// `{source}`, `{mountpoint}` and `{options}` are replaced.
    public let command: String
    let device: String
    let mountPoint: String
    let source: String
    /// mount(8) -f: all but the mount.
    let isFake: Bool
    /// For `-o`: `fsname=DEV` and what mount(8) gave, but for what only fstab(5) knows.
    let options: String

    /// - Parameter arguments: `DEV DIR [-sfnv] [-t TYPE] [-o OPTIONS]…`, as mount(8) calls its helpers.
    public init(command: String, arguments: [String]) throws(Problem) {
        self.command = command
        var positional: [String] = []
        var all: [String] = []
        var fake = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "-o":
                guard let value = rest.popFirst() else { throw .usage }
                all += value.split(separator: ",").map(String.init)
            case "-t": _ = rest.popFirst()
            case _ where argument.hasPrefix("-o"): all += argument.dropFirst(2).split(separator: ",").map(String.init)
            case _ where argument.hasPrefix("-"):
                let flags = argument.dropFirst()
                // Which options a daemon does not know, it alone can tell (-s); there is no mtab (-n).
                if let unknown = flags.first(where: { !"fsnv".contains($0) }) { throw .flag("-\(unknown)") }
                if flags.contains("f") { fake = true }
            default: positional.append(argument)
            }
        }
        guard positional.count == 2, let source = all.last(where: { $0.hasPrefix("source=") }) else { throw .usage }
        if all.contains("remount") { throw .remount }
        isFake = fake
        device = positional[0]
        mountPoint = positional[1]
        self.source = String(source.dropFirst("source=".count))
        let kept = all.filter { !$0.hasPrefix("source=") && !DaemonHelper.unknownToDaemons.contains($0) }
        options = (["fsname=\(device)"] + kept).joined(separator: ",")
    }

    private static let unknownToDaemons: Set<String> = [
        "rw", "exec", "async", "defaults", "auto", "noauto", "user", "nouser", "_netdev", "nofail", "relatime",
        "norelatime", "strictatime", "nostrictatime", "atime", "diratime", "lazytime", "nolazytime",
    ]

    var words: [String] {
        Target.words(command).map { word in
            word.replacing("{source}", with: source).replacing("{mountpoint}", with: mountPoint)
                .replacing("{options}", with: options)
        }
    }

    /// Returns once it is mounted; the daemon goes on.
    public func mount(within limit: Duration = .seconds(20)) throws(Problem) {
        if isFake { return }
        let before = (try? MountTable.top(at: mountPoint))?.mountID
        let child: ChildProcess
        do throws(Errno) {
            child = try ChildProcess.spawn(words)
        } catch {
            throw .notStarted(words[0], error)
        }
        var isMounted = false
        _ = MountTable.wait(for: limit) { table in
            isMounted = table.contains { $0.mountPoint == mountPoint && $0.isFUSE && $0.mountID != before }
            return isMounted || !child.isRunning
        }
        if isMounted { return }
        if let status = child.exitStatus, !status.isSuccess { throw .ended(status) }
        child.kill()
        throw .notMounted(limit)
    }
}
