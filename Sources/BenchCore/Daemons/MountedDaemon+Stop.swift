import Glibc
import LinuxSystem
public import SystemPackage

/// A way to end a connection.
public enum StopMethod: String, Sendable, CaseIterable {
    /// umount(2), which fails with EBUSY while files are open.
    case unmount
    /// SIGTERM to the daemon.
    case terminate
    /// umount -l.
    case lazyUnmount = "lazy-unmount"
    /// umount -f.
    case forcedUnmount = "forced-unmount"
    /// The connection's `abort` file.
    case abort
    /// SIGKILL to the daemon.
    case kill
}

/// What came of a stop.
public struct StopReport: Sendable, CustomStringConvertible {
    /// What the unmount said, if one was asked for; nil is success.
    public var unmountError: Errno?
    /// How the daemon ended; nil if it still ran at the deadline.
    public var exit: ExitStatus?
    public var isMountGone: Bool
    public var isConnectionGone: Bool
    public var seconds: Double

    /// A line for people.
    public var description: String {
        let parts = [
            unmountError.map { "the unmount failed: \($0.name)" },
            exit.map { "the daemon ended with \($0)" } ?? "the daemon still runs",
            isMountGone ? nil : "the mount is still there", isConnectionGone ? nil : "the connection is still there",
        ]
        return parts.compactMap(\.self).joined(separator: ", ") + ", after \((seconds * 1000).rounded() / 1000) s"
    }

    /// Everything is gone, whatever the exit status.
    public var isComplete: Bool { exit != nil && isMountGone && isConnectionGone }
}

extension MountedDaemon {
    /// Ends the connection in the given way and waits until daemon, mount and connection are gone.
    ///
    /// A daemon that died by abort or SIGKILL leaves a dead mount behind, which is then unmounted. What is not gone at the
    /// deadline stays: see ``forceDown(evidence:)``.
    public func stop(_ method: StopMethod = .unmount, within limit: Duration? = nil) -> StopReport {
        let limit = limit ?? bench.pace(.seconds(10))
        guard mount != nil else {
            return StopReport(exit: .exited(0), isMountGone: true, isConnectionGone: true, seconds: 0)
        }
        let start = ContinuousClock.now
        let deadline = Deadline(after: limit)
        var unmountError = begin(method, within: limit)
        // A daemon that unmounts at its end waits for the connection too, which a copy of the mount keeps.
        _ = deadline.wait { !isMounted || process?.isRunning != true }
        detachCopies()
        let exit = process?.wait(until: deadline) ?? (process == nil ? .unknown : nil)
        if method == .abort || method == .kill, isMounted {
            unmountError = unmount(within: max(deadline.remaining, bench.pace(.seconds(1))))
        }
        detachCopies()
        let gone = deadline.wait { !isMounted && !isConnected }
        return StopReport(
            unmountError: unmountError, exit: exit, isMountGone: !isMounted,
            isConnectionGone: gone || !isConnected, seconds: (ContinuousClock.now - start).seconds)
    }

    /// Starts to end the connection in the given way and returns at once, but for the time that umount(2) takes.
    ///
    /// - Returns: what the unmount said; ETIMEDOUT if it did not come back.
    @discardableResult
    public func begin(_ method: StopMethod, within limit: Duration? = nil) -> Errno? {
        switch method {
        case .unmount: return unmount(within: limit)
        case .lazyUnmount: return unmount(lazy: true, within: limit)
        case .forcedUnmount: return unmount(force: true, within: limit)
        case .terminate: process?.signal(SIGTERM)
        case .kill: process?.signal(SIGKILL)
        case .abort: abort()
        }
        return nil
    }

    /// Aborts the connection, if it is still this one.
    ///
    /// - Returns: false if the kernel did not come back from it.
    @discardableResult
    public func abort() -> Bool { !isConnected || connection?.abort() ?? true }

    /// umount2(2) in a child.
    ///
    /// - Returns: its errno, ETIMEDOUT if it did not come back, nil for success.
    public func unmount(lazy: Bool = false, force: Bool = false, within limit: Duration? = nil) -> Errno? {
        let error = IsolatedCall.unmount(mountPoint, lazy: lazy, force: force)
            .run(within: limit ?? bench.pace(.seconds(10)))
        if error == nil { detachCopies() }
        return error
    }

    /// Once it is unmounted here: detaches what other mount namespaces have of this mount.
    ///
    /// Whoever makes a mount namespace while the mount is there (a container, a service, another bench) has a copy of it, and
    /// that keeps connection and daemon alive as long as the namespace lives: nothing that the daemon could help. What this run's
    /// own processes have of it is meant to be.
    public func detachCopies() {
        guard !isMounted, let connection, connection.exists, isConnected else { return }
        let processes = connection.elsewhere.filter { !bench.owns($0) }.map { "/proc/\($0.pid)/ns/mnt" }
        // A namespace without a process is kept by a mount of its file.
        let kept = MountTable.current().filter { $0.type == "nsfs" && $0.root.string.hasPrefix("mnt:") }.map(
            \.mountPoint)
        for namespace in processes + kept {
            IsolatedCall.unmount(mountPoint, lazy: true, namespace: namespace).run()
        }
    }

    /// Whether this daemon's connection is still there. The kernel gives its number to the next mount as soon as it is gone,
    /// so the number alone proves nothing.
    public var isConnected: Bool {
        guard let mount, let connection, connection.exists else { return false }
        if isMounted { return true }
        let other = MountTable.current().contains {
            $0.minor == mount.minor && $0.major == mount.major
                && ($0.mountPoint != mountPoint.string || $0.mountID != mount.mountID)
        }
        if other { return false }
        let holders = connection.holders
        return holders.isEmpty ? connection.exists : holders.contains(where: bench.owns)
    }

    /// Everything that explains why this mount or its daemon hangs, saved as files.
    ///
    /// - Returns: their paths.
    @discardableResult
    public func collect(into evidence: Evidence, clients: [ChildProcess] = []) -> [String] {
        var files = [
            evidence.save("mountinfo", contents(of: "/proc/self/mountinfo") ?? ""),
            evidence.save("daemon.log", contents(of: log.string) ?? ""),
            evidence.save("command", command.joined(separator: " ") + "\n"),
        ]
        if let connection { files.append(evidence.save("connection", connection.text)) }
        for child in [process].compactMap({ $0 }) + clients where child.isRunning {
            files.append(evidence.save("stacks-\(child.id.pid)", ProcessSnapshot(child.id).text))
        }
        return files
    }

    /// Takes everything down, whatever state it is in: evidence, abort, SIGKILL to the daemon's group, lazy unmount.
    ///
    /// - Returns: whether mount, connection and daemon are gone.
    @discardableResult
    public func forceDown(evidence: Evidence? = nil, clients: [ChildProcess] = []) -> Bool {
        if let evidence { collect(into: evidence, clients: clients) }
        abort()
        for client in clients { client.signalGroup(SIGKILL) }
        process?.signalGroup(SIGCONT)
        process?.kill()
        for client in clients { client.kill() }
        for _ in 0..<4 where isMounted { _ = unmount(lazy: true) }
        let deadline = Deadline(after: bench.pace(.seconds(5)))
        let gone = deadline.wait { !isConnected }
        return gone && !isMounted && process?.isRunning != true
    }
}
