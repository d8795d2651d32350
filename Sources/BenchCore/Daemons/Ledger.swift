import FoundationEssentials
import Glibc
import LinuxSystem
import Synchronization
public import SystemPackage

/// What a run of the bench made, written down before it is made, so that ``Cleaner`` can remove just that after the run was
/// killed.
///
/// One file for each run, one JSON object on each line, appended by single writes: a killed bench leaves a whole file.
public final class Ledger: Sendable {
    public enum Entry: Codable, Sendable, Hashable {
        /// The run itself: its process. The first line.
        case bench(ProcessID)
        /// A folder that goes with everything in it.
        case folder(String)
        /// Something will be mounted there.
        case mount(String)
        /// The connection that a mount got.
        case connection(mountPoint: String, number: UInt32)
        /// A process and the group it leads.
        case process(ProcessID, command: String)
        /// A loop device on this file.
        case loop(String)
    }

    /// Children get this variable with the run's id, so that each is found even if the bench died before it wrote down the
    /// child's id.
    public static let variable = "FSTESTKIT_RUN"

    /// The run's id: unique on this machine since boot.
    public let run: String
    public let path: FilePath
    private let file: FileDescriptor
    private let seen = Lock<Set<Entry>>([])

    /// Opens a new ledger for this process.
    ///
    /// - Throws: the errno of open(2) or mkdir(2).
    public init() throws(Errno) {
        let me = ProcessID.current
        run = "\(me.pid)-\(me.startTime)-\(Ledger.counter.add(1, ordering: .relaxed).newValue)"
        mkdir(Ledger.folder.string, 0o700)
        path = Ledger.folder.appending("\(run).ledger")
        let descriptor = try Errno.check { [path] in
            open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        }
        file = FileDescriptor(rawValue: descriptor)
        record(.bench(me))
    }

    deinit { try? file.close() }

    private static let counter = Atomic<Int>(0)

    /// Where ledgers lie: `FSTESTKIT_STATE`, `/run/fstestkit` for root, or the user's runtime folder.
    public static var folder: FilePath {
        if let chosen = getenv("FSTESTKIT_STATE") { return FilePath(String(cString: chosen)) }
        if getuid() == 0 { return "/run/fstestkit" }
        if let runtime = getenv("XDG_RUNTIME_DIR") { return FilePath(String(cString: runtime)).appending("fstestkit") }
        return FilePath("/tmp/fstestkit-\(getuid())")
    }

    /// Writes an entry down, once.
    public func record(_ entry: Entry) {
        // A process is new each time, and a long run starts so many that remembering them would be a leak.
        let isNew = if case .process = entry { true } else { seen.withLock { $0.insert(entry).inserted } }
        guard isNew, let line = try? JSONEncoder().encode(entry) else { return }
        _ = try? file.writeAll(line + [UInt8(ascii: "\n")])
    }

    /// Everything of this run is gone: so is its ledger.
    func remove() { unlink(path.string) }

    /// Reads a ledger; lines that are not whole are left out.
    static func read(_ path: String) -> [Entry] {
        (contents(of: path) ?? "").split(separator: "\n").compactMap { line in
            try? JSONDecoder().decode(Entry.self, from: Data(line.utf8))
        }
    }
}
