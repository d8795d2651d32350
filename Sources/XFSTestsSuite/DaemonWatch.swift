import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Follows the daemons that xfstests mounts and unmounts below one folder, and takes the exit status of every process that is
/// left to the bench.
///
/// A mount helper leaves its daemon behind; the bench is the subreaper, so the daemon becomes its child.
final class DaemonWatch {
    struct Daemon: Sendable {
        let process: ProcessID
        let name: String
        let connection: UInt32
        let mountPoint: String
    }

    struct Death: Sendable {
        let pid: Int32
        let name: String
        let status: ExitStatus
        let isDaemon: Bool
    }

    private let folder: String
    private let bench: Workbench
    /// Children that are waited for elsewhere.
    var others: Set<Int32> = []
    /// What daemons are called: one that dies before it was seen mounted is known by its name.
    private var names: Set<String>
    private(set) var daemons: [Int32: Daemon] = [:]
    private var deaths: [Death] = []
    /// Daemons that the bench killed: their death is nobody's fault.
    private var killed: Set<Int32> = []

    init(folder: FilePath, names: Set<String>, bench: Workbench) {
        self.names = names
        self.folder = folder.string
        self.bench = bench
    }

    /// FUSE mounts below the folder, topmost first.
    var mounts: [MountEntry] { MountTable.mounts(below: folder).filter(\.isFUSE) }

    /// Looks for new mounts and for children that ended.
    func look() {
        // By living daemons, not by numbers: the kernel gives those of mounts and connections again at once.
        let known = Set(daemons.values.filter(\.process.isAlive).map(\.connection))
        for mount in mounts where !known.contains(mount.minor) {
            bench.ledger.record(.connection(mountPoint: mount.mountPoint, number: mount.minor))
            // A descriptor of a connection that has ended still shows its number, which may be this one's by now.
            for holder in FuseConnection(mount.minor).holders
            where daemons[holder.pid] == nil && bench.isMarked(holder.pid) {
                let name = ProcessID.stat(holder.pid)?.name ?? "?"
                // The helper still holds it for a moment, too; it is no daemon of its own.
                daemons[holder.pid] = Daemon(
                    process: holder, name: name, connection: mount.minor, mountPoint: mount.mountPoint)
                names.insert(name)
            }
        }
        reap()
    }

    /// What ended since the last call.
    func takeDeaths() -> [Death] {
        look()
        defer { deaths = [] }
        return deaths
    }

    /// Daemons that live though nothing of theirs is mounted any more.
    var stragglers: [Daemon] {
        let connections = Set(mounts.map(\.minor))
        return daemons.values.filter { !connections.contains($0.connection) && $0.process.isAlive }
    }

    /// Waits until every daemon whose mount is gone has ended.
    ///
    /// - Returns: those that still live at the end of the time.
    func settle(_ limit: Duration) -> [Daemon] {
        _ = Deadline(after: limit).wait(upTo: .milliseconds(20)) {
            look()
            return stragglers.isEmpty
        }
        return stragglers
    }

    private func reap() {
        var skipped: Set<Int32> = []
        while true {
            var info = siginfo_t()
            // ECHILD: no child at all.
            guard waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 else { break }
            let pid = info._sifields._sigchld.si_pid
            // Zero: none has ended. waitid names the same one until it is waited for.
            if pid == 0 || others.contains(pid) || !skipped.insert(pid).inserted { break }
            let name = ProcessID.stat(pid)?.name ?? "?"
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { continue }
            let isDaemon = daemons.removeValue(forKey: pid) != nil || names.contains(name)
            if killed.remove(pid) == nil {
                deaths.append(Death(pid: pid, name: name, status: ExitStatus(waitStatus: raw), isDaemon: isDaemon))
            }
        }
        // One that was not the bench's child after all leaves no status.
        for (pid, daemon) in daemons where !daemon.process.isAlive && ProcessID.stat(pid) == nil {
            daemons.removeValue(forKey: pid)
        }
    }

    // MARK: When something hangs

    /// Aborts every connection below the folder.
    func abort() {
        for mount in mounts { FuseConnection(mount.minor).abort() }
    }

    /// Kills a daemon, which ends its connection. Not by the connection's number: once nothing is mounted with it, it may be
    /// that of another mount on this machine.
    func kill(_ daemon: Daemon) {
        killed.insert(daemon.process.pid)
        daemon.process.signal(SIGKILL)
    }

    /// Takes every FUSE mount below the folder out of the tree.
    func unmountAll() {
        for _ in 0..<8 {
            let left = mounts
            if left.isEmpty { return }
            for mount in left { IsolatedCall.unmount(mount.path, lazy: true).run() }
        }
    }

    /// Unmounts what no longer answers: an aborted connection, or a daemon that died.
    func unmountDead() {
        for mount in mounts {
            let error = IsolatedCall.stat(mount.path).run(within: .seconds(5))
            guard let error else { continue }
            if error == .timedOut { FuseConnection(mount.minor).abort() }
            IsolatedCall.unmount(mount.path, lazy: true).run()
        }
    }
}

extension Workbench {
    /// Whether a process carries this run's mark.
    func isMarked(_ pid: Int32) -> Bool {
        guard let environment = contents(of: "/proc/\(pid)/environ") else { return false }
        return environment.split(separator: "\0").contains { $0 == "\(Ledger.variable)=\(ledger.run)" }
    }
}
