public import BenchCore
import FoundationEssentials
import Glibc
import LinuxSystem
public import SystemPackage

/// The run as it goes, one JSON object on each line, each on disk before the run goes on: what a killed run is resumed from.
public final class XFSTestsJournal {
    public enum Line: Codable, Sendable {
        case plan(XFSTestsPlan)
        /// A bench that works on it: its run of the ledger, and its temporary folder.
        case bench(run: String, folder: String)
        case began(XFSTestsKey)
        case ended(XFSTestsRecord)
    }

    public static let name = "journal.jsonl"

    public let output: FilePath
    private let file: FileDescriptor
    public private(set) var plan: XFSTestsPlan
    public private(set) var records: [XFSTestsRecord] = []
    private var done: Set<XFSTestsKey> = []
    /// What ran when the last bench died.
    private var interrupted: XFSTestsKey?
    /// The benches that worked on it before.
    public private(set) var formerBenches: [(run: String, folder: String)] = []

    /// Begins a run.
    ///
    /// - Throws: the errno of open(2), EEXIST if there is a run in this folder.
    public init(output: FilePath, plan: XFSTestsPlan) throws(Errno) {
        self.output = output
        self.plan = plan
        Evidence.makeFolders(output.string)
        let path = output.appending(XFSTestsJournal.name).string
        let descriptor = try Errno.check { open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644) }
        file = FileDescriptor(rawValue: descriptor)
        write(.plan(plan))
    }

    /// Goes on with the run in this folder. The test that ran when it ended is marked as crashed.
    ///
    /// - Throws: the errno of open(2), ENOENT if there is no run; EINVAL if it has no plan.
    public init(resuming output: FilePath) throws(Errno) {
        self.output = output
        let path = output.appending(XFSTestsJournal.name)
        let text = try readWhole(path)
        let lines = text.split(separator: "\n").compactMap { line in
            try? JSONDecoder().decode(Line.self, from: Data(line.utf8))
        }
        guard case .plan(let plan)? = lines.first, plan.isSane else { throw .invalidArgument }
        self.plan = plan
        let descriptor = try Errno.check { open(path.string, O_WRONLY | O_APPEND | O_CLOEXEC) }
        file = FileDescriptor(rawValue: descriptor)
        // A power cut may leave half a line.
        if !text.hasSuffix("\n") { _ = try? file.writeAll("\n".utf8) }
        for line in lines {
            switch line {
            case .plan: break
            case .bench(let run, let folder): formerBenches.append((run, folder))
            case .began(let key): interrupted = key
            case .ended(let record): keep(record)
            }
        }
        if let interrupted {
            end(
                XFSTestsRecord(
                    key: interrupted, outcome: .crashed, reason: "the bench or the machine died while it ran"))
        }
    }

    deinit { try? file.close() }

    public func isDone(_ key: XFSTestsKey) -> Bool { done.contains(key) }

    public func begin(bench: Workbench) {
        write(.bench(run: bench.ledger.run, folder: bench.folder.string))
    }

    /// To be called before the test starts.
    public func begin(_ key: XFSTestsKey) {
        write(.began(key))
    }

    /// On disk when it returns.
    public func end(_ record: XFSTestsRecord) {
        write(.ended(record))
        keep(record)
    }

    /// Several that never ran.
    func end(_ many: [XFSTestsRecord]) {
        for record in many { write(.ended(record), sync: false) }
        fdatasync(file.rawValue)
        many.forEach(keep)
    }

    private func keep(_ record: XFSTestsRecord) {
        records.append(record)
        done.insert(record.key)
        if interrupted == record.key { interrupted = nil }
    }

    private func write(_ line: Line, sync: Bool = true) {
        guard let data = try? JSONEncoder().encode(line) else { return }
        _ = try? file.writeAll(data + [UInt8(ascii: "\n")])
        if sync { fdatasync(file.rawValue) }
    }
}
