import CBench
import Glibc
import LinuxSystem
import SystemPackage

/// Removes what a run of the bench made and left: processes, connections, mounts, loop devices, folders. Only what is in the
/// run's ledger, below its folders, or carries its mark.
public struct Cleaner: Sendable {
    public struct Report: Sendable {
        public let run: String
        /// One line for each thing that was there and is gone.
        public var removed: [String] = []
        /// One line for each thing that could not be removed.
        public var failures: [String] = []
        public var isClean: Bool { failures.isEmpty }
    }

    public let run: String
    let path: String
    let entries: [Ledger.Entry]

    package init(run: String, path: String) {
        self.run = run
        self.path = path
        entries = Ledger.read(path)
    }

    /// The runs that left a ledger and whose bench is dead.
    public static func leftovers() -> [Cleaner] {
        ledgers().filter { !$0.isBenchAlive }
    }

    /// Removes what dead runs left, and then what those left that went with them: a matrix's suites are runs of their own,
    /// and are dead only when the matrix's processes are. Each run once.
    public static func cleanLeftovers(_ tell: (Report) -> Void) {
        var begun: Set<String> = []
        while let next = leftovers().first(where: { begun.insert($0.run).inserted }) { tell(next.clean()) }
    }

    /// Whether the other run's bench is a process that this run had started, and so goes with it.
    public func started(_ other: Cleaner) -> Bool {
        other.bench.map(startedProcesses.contains) ?? false
    }

    /// The runs whose bench is at work.
    public static func active() -> [Cleaner] {
        ledgers().filter(\.isBenchAlive)
    }

    static func ledgers() -> [Cleaner] {
        runs.map { Cleaner(run: $0, path: Ledger.folder.appending("\($0).ledger").string) }
    }

    /// The runs that have a ledger.
    static var runs: [String] {
        names(in: Ledger.folder.string).filter { $0.hasSuffix(".ledger") }.map { String($0.dropLast(7)) }.sorted()
    }

    /// The process that the run was.
    public var bench: ProcessID? {
        for case .bench(let process) in entries { return process }
        return nil
    }

    /// Processes that the run had started, as far as it wrote them down.
    public var startedProcesses: [ProcessID] {
        entries.compactMap { if case .process(let process, _) = $0 { process } else { nil } }
    }

    /// What the processes that it had started are called, as the kernel calls them.
    var programs: Set<Substring> {
        let words = entries.compactMap {
            if case .process(_, let command) = $0 { command.split(separator: " ").first } else { nil }
        }
        return Set(words.map { ($0.split(separator: "/").last ?? $0).prefix(15) })
    }

    var isBenchAlive: Bool {
        entries.contains { if case .bench(let process) = $0 { process.isAlive } else { false } }
    }

    /// Removes it all, and the ledger last. Without `keepingFolders` the run's folders go too.
    public func clean(keepingFolders: Bool = false) -> Report {
        var report = Report(run: run)
        let deadline = Deadline(after: .seconds(5))
        // Again until it holds: a bench that was interrupted may be about to start or to write something still.
        while true {
            abortConnections(&report)
            killProcesses(&report)
            unmount(&report)
            detachLoops(&report)
            if !keepingFolders { removeFolders(&report) }
            if report.isClean || deadline.hasPassed { break }
            report.failures = []
            Deadline.sleep(.milliseconds(50))
        }
        if report.isClean { unlink(path) }
        return report
    }

    private var folders: [String] {
        entries.compactMap { if case .folder(let path) = $0 { path } else { nil } }
    }

    /// Mounts below the run's folders, and others that have the connection that was written down for them.
    private func mounts() -> [MountEntry] {
        let table = MountTable.current()
        var result = folders.flatMap { MountTable.mounts(below: $0, in: table) }
        for case .connection(let mountPoint, let number) in entries {
            result += table.filter {
                $0.mountPoint == mountPoint && $0.isFUSE && $0.minor == number && !result.contains($0)
            }
        }
        return result
    }

    private func abortConnections(_ report: inout Report) {
        for mount in mounts() where mount.isFUSE {
            let connection = FuseConnection(mount.minor)
            guard connection.exists else { continue }
            if connection.abort() {
                report.removed.append("aborted \(connection) of \(mount.mountPoint)")
            } else {
                report.failures.append("\(connection) of \(mount.mountPoint) does not abort")
            }
        }
    }

    /// Processes that carry the run's mark or stand in its ledger, this one left out.
    private func processes() -> [ProcessID] {
        let mark = "\(Ledger.variable)=\(run)"
        var result = Set<ProcessID>()
        for pid in ProcessID.all() where pid != getpid() {
            let process = ProcessID(pid)
            if process.wasStarted(with: mark) { result.insert(process) }
        }
        for case .process(let process, _) in entries { result.insert(process) }
        return result.filter { $0.isAlive && $0.pid != getpid() }
    }

    private func killProcesses(_ report: inout Report) {
        let deadline = Deadline(after: .seconds(10))
        var killed = Set<ProcessID>()
        // Again until none is left: one may have been about to start another.
        _ = deadline.wait(upTo: .milliseconds(50)) {
            let left = processes()
            for process in left {
                process.signal(SIGKILL)
                killed.insert(process)
            }
            return left.isEmpty
        }
        let left = Set(processes())
        for process in killed.subtracting(left) { report.removed.append("killed process \(process)") }
        for process in left {
            report.failures.append("process \(process) does not die (state \(process.state ?? "?"))")
        }
    }

    private func unmount(_ report: inout Report) {
        // A mount may lie on top of another at the same place.
        for _ in 0..<8 {
            let left = mounts()
            if left.isEmpty { return }
            for mount in left {
                if IsolatedCall.unmount(mount.path, lazy: true).run() == nil {
                    report.removed.append("unmounted \(mount.mountPoint)")
                }
            }
        }
        for mount in mounts() { report.failures.append("\(mount.mountPoint) does not unmount") }
    }

    private func detachLoops(_ report: inout Report) {
        for (device, file) in LoopDevice.all() where folders.contains(where: { file.hasPrefix($0 + "/") }) {
            // The last unmount detaches it by itself; give that a moment.
            if Deadline(after: .seconds(1)).wait(for: { LoopDevice.backingFile(device) != file }) { continue }
            if LoopDevice.detach(device) {
                report.removed.append("detached \(device)")
            } else {
                report.failures.append("\(device) does not detach")
            }
        }
    }

    private func removeFolders(_ report: inout Report) {
        for folder in folders {
            guard MountTable.mounts(below: folder).isEmpty else { continue }
            var status = stat()
            guard lstat(folder, &status) == 0 else { continue }
            if Cleaner.removeTree(folder) {
                report.removed.append("removed \(folder)")
            } else {
                report.failures.append("\(folder) could not be removed")
            }
        }
    }
    /// rm -rf of a folder that nothing is mounted below. In C, since names need not be UTF-8: tests make others on purpose.
    package static func removeTree(_ path: String) -> Bool {
        cbench_remove_tree(AT_FDCWD, path)
        var status = stat()
        return lstat(path, &status) != 0
    }
}
