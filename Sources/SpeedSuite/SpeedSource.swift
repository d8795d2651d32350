import BenchCore
import CBench
import Glibc
import LinuxSystem
import SystemPackage

/// The folder that a run's subjects serve, in one of the directories that were asked for, and what jobs find there. It is made in the
/// folder itself, never through a mount.
final class SpeedSource {
    /// The filesystem, as reports name it: `tmpfs`.
    let label: String
    let path: FilePath
    private let bench: Workbench
    private let command: FioCommand
    private var made: Set<String> = []

    /// - Throws: the errno of mkdir(2).
    init(in directory: FilePath, label: String, bench: Workbench, command: FioCommand) throws(Errno) {
        self.label = label
        self.bench = bench
        self.command = command
        path = directory.appending("fstestkit-\(bench.ledger.run)-\(bench.nextNumber())")
        bench.ledger.record(.folder(path.string))
        _ = try Errno.check { [path] in mkdir(path.string, 0o755) }
    }

    /// The type of the filesystem that a directory lies in.
    static func fileSystem(of directory: FilePath) -> String {
        let path = directory.string
        let mount = MountTable.current().filter { entry in
            entry.mountPoint == "/" || path == entry.mountPoint || path.hasPrefix(entry.mountPoint + "/")
        }.max { $0.mountPoint.count < $1.mountPoint.count }
        return mount?.type ?? "unknown"
    }

    /// Where a job works, relative to the source and to each mount of it.
    func folder(of job: SpeedJob) -> String {
        switch job.work {
        case .data: "data"
        case .files(.stat): "stat-\(job.clients)"
        case .files, .tool(.rename), .tool(.untar), .tool(.compile): "work"
        case .tool(.list): "tree"
        case .tool(.gitStatus): "repository"
        case .file: "file"
        }
    }

    /// Makes what the job needs, unless it is there.
    ///
    /// - Parameter isStopped: asked while programs make files.
    func prepare(_ job: SpeedJob, isStopped: () -> Bool) throws(Trouble) {
        func run(_ words: [String]) throws(Trouble) { try self.run(words, isStopped) }
        let folder = path.appending(folder(of: job)).string
        switch job.work {
        case .data(let work):
            try once("\(job.clients) \(work.blockSize >= 1 << 20)", folder) { () throws(Trouble) in
                try run(command.layout(work, job, folder: folder))
            }
        case .files(.stat):
            try once("stat \(job.clients)", folder) { () throws(Trouble) in
                SpeedSource.makeFolders(of: job, in: folder)
                try run(command.layout(.stat, job, folder: folder))
            }
        case .files(let work):
            mkdir(folder, 0o755)
            SpeedSource.makeFolders(of: job, in: folder)
            if work == .unlink { try run(command.layout(work, job, folder: folder)) }
        case .file(let job):
            // Made by the first subject's trial, they would be part of what is counted for it.
            mkdir(folder, 0o755)
            guard let text = contents(of: job.string) else { throw Trouble.failed("\(job) cannot be read") }
            let copy = path.appending("layout.fio")
            do {
                try command.write(text, to: copy, in: folder, isLayout: true)
            } catch {
                throw Trouble.failed("\(copy) cannot be written: \(error)")
            }
            try run(command.file(copy.string))
        case .tool(.rename): ToolFiles.makeFlat(folder, count: ToolFiles.renamed)
        case .tool(.compile): ToolFiles.makeSources(folder)
        case .tool(.untar):
            mkdir(folder, 0o755)
            try once("archive", path.appending("archive").string) { () throws(Trouble) in
                ToolFiles.makeTree(path.appending("archive").string)
                try run(["tar", "-C", path.appending("archive").string, "-cf", archive, "."])
            }
        case .tool(.list): try once("tree", folder) { () throws(Trouble) in ToolFiles.makeTree(folder) }
        case .tool(.gitStatus):
            try once("repository", folder) { () throws(Trouble) in
                ToolFiles.makeTree(folder)
                for words in ToolFiles.commit { try run(["git", "-C", folder] + words) }
            }
        }
    }

    var archive: String { path.appending("archive.tar").string }

    /// Takes away what the job has made, or what the next trial must not find.
    func cleanUp(after job: SpeedJob) {
        switch job.work {
        case .files(.create), .files(.unlink), .tool(.rename), .tool(.untar), .tool(.compile), .file:
            cbench_remove_tree(AT_FDCWD, path.appending(folder(of: job)).string)
        default: break
        }
    }

    /// What was written by the trial before shall be on its disk.
    func settle() { IsolatedCall.syncFileSystem(path.string).run(within: bench.pace(.seconds(60))) }

    enum Trouble: Error {
        case failed(String)
        /// The run is to end.
        case interrupted
    }

    private func once(_ what: String, _ folder: String, _ make: () throws(Trouble) -> Void) throws(Trouble) {
        if made.contains(what) { return }
        mkdir(folder, 0o755)
        try make()
        made.insert(what)
    }

    /// fio makes files, and no folders.
    private static func makeFolders(of job: SpeedJob, in folder: String) {
        for client in 0..<job.clients { mkdir("\(folder)/\(client)", 0o755) }
    }

    private func run(_ words: [String], _ isStopped: () -> Bool) throws(Trouble) {
        let log = bench.folder.appending("prepare-\(bench.nextNumber())")
        guard let child = try? bench.spawn(words, output: log) else { throw .failed("\(words[0]) does not start") }
        defer { Evidence.remove(log) }
        switch child.wait(bench.pace(.seconds(120)), unless: isStopped) {
        case .ended(let status):
            if status.isSuccess { return }
            throw .failed("\(words[0]): \(child.output.split(separator: "\n").last.map(String.init) ?? "\(status)")")
        case .late:
            child.kill()
            throw .failed("\(words[0]) does not end")
        case .stopped:
            child.kill(within: .seconds(1))
            throw .interrupted
        }
    }
}

extension ChildProcess {
    /// What came first.
    enum Wait {
        case ended(ExitStatus)
        case late
        case stopped
    }

    /// Waits for its end, for so long, or until the run is to end.
    func wait(_ duration: Duration, unless isStopped: () -> Bool) -> Wait {
        let deadline = Deadline(after: duration)
        repeat {
            if isStopped() { return .stopped }
            if let status = wait(.milliseconds(200)) { return .ended(status) }
        } while !deadline.hasPassed
        return .late
    }
}
