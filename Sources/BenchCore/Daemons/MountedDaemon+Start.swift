import Glibc
public import LinuxSystem
public import SystemPackage

extension MountedDaemon {
    /// How far a start goes before it returns.
    public enum Stage: Sendable {
        /// The process runs; nothing need be mounted yet.
        case mounted
        /// The first request was answered.
        case ready
    }

    /// Starts a daemon and waits for its mount.
    ///
    /// - Parameters:
    ///   - mountPoint: an empty folder, free of symbolic links.
    ///   - log: where the daemon's output goes; by default beside the mount point.
    ///   - stage: return as soon as it is mounted, or once it answers.
    /// - Throws: ``DaemonError``; nothing is left mounted or running then.
    public static func start(
        _ target: Target, source: FilePath, mountPoint: FilePath, bench: Workbench, log: FilePath? = nil,
        until stage: Stage = .ready, within limit: Duration? = nil
    ) throws(DaemonError) -> MountedDaemon {
        let limit = limit ?? bench.pace(.seconds(20))
        var target = target
        // A daemon that gives up on its threads as soon as on a fast machine would look broken on a slow one.
        if target.isOurs, bench.pace.factor > 1.5 {
            target.options += ["-o", "stop_timeout=\(Int(3 * bench.pace.factor))"]
        }
        let log = log ?? FilePath(mountPoint.string + ".log")
        guard
            let command = target.command(
                program: bench.program, source: source.string, mountPoint: mountPoint.string)
        else {
            return MountedDaemon(
                target: target, source: source, mountPoint: mountPoint, mount: nil, process: nil, command: [], log: log,
                bench: bench)
        }
        let deadline = Deadline(after: limit)
        let before = (try? MountTable.top(at: mountPoint.string))?.mountID
        bench.ledger.record(.mount(mountPoint.string))
        let child: ChildProcess
        do {
            child = try bench.spawn(command, output: log)
        } catch {
            throw .notStarted(command[0], error)
        }
        guard let mount = waitForMount(mountPoint.string, not: before, of: child, until: deadline) else {
            defer { giveUp(child, mountPoint: mountPoint, before: before) }
            let tail = tail(of: log)
            if let status = child.exitStatus { throw .exited(status, log: tail) }
            throw .notMounted(limit, log: tail)
        }
        bench.ledger.record(.connection(mountPoint: mountPoint.string, number: mount.minor))
        var daemon: ChildProcess? = child
        if case .mountHelper = target.kind {
            // `mount` returns once its helper has; the daemon is who holds the connection.
            _ = child.wait(until: deadline)
            daemon = FuseConnection(mount.minor).holders.first.map { ChildProcess.adopt($0.pid) }
            if let daemon { bench.ledger.record(.process(daemon.id, command: command.joined(separator: " "))) }
        }
        let result = MountedDaemon(
            target: target, source: source, mountPoint: mountPoint, mount: mount, process: daemon, command: command,
            log: log, bench: bench)
        if stage == .ready && !result.waitUntilReady(deadline) {
            // It may have found out only after the mount that it cannot serve: then it ends, and says why.
            let status = deadline.hasPassed ? nil : daemon?.wait(min(limit, bench.pace(.seconds(5))))
            let tail = result.logTail
            result.forceDown()
            if let status { throw .exited(status, log: tail) }
            throw .notReady(limit, log: tail)
        }
        return result
    }

    /// Waits until the daemon answers a first request, asked for by a child.
    ///
    /// - Returns: false if it did not by the deadline, or with an error.
    public func waitUntilReady(_ deadline: Deadline) -> Bool {
        // Answered by the mount, and not by the folder below it after an early end.
        IsolatedCall.stat(root).run(within: deadline.remaining) == nil && isMounted
            && process?.isRunning != false
    }

    private static func waitForMount(
        _ path: String, not before: Int?, of child: ChildProcess, until deadline: Deadline
    ) -> MountEntry? {
        var found: MountEntry?
        _ = MountTable.wait(for: deadline.remaining) { table in
            found = table.last { $0.mountPoint == path }.flatMap { $0.isFUSE && $0.mountID != before ? $0 : nil }
            if found != nil { return true }
            // A helper or a daemon that goes to the background ends well; one that failed will mount nothing.
            return child.exitStatus.map { !$0.isSuccess } ?? false
        }
        return found
    }

    private static func giveUp(_ child: ChildProcess, mountPoint: FilePath, before: Int?) {
        child.kill()
        if let late = (try? MountTable.top(at: mountPoint.string)), late.mountID != before, late.isFUSE {
            FuseConnection(late.minor).abort()
            IsolatedCall.unmount(mountPoint, lazy: true).run()
        }
    }
}
