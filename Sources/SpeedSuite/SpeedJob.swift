import BenchCore
import LinuxSystem
public import SystemPackage

/// Something that clients do on a mount and that is timed.
public struct SpeedJob: Sendable, Hashable {
    public enum Work: Sendable, Hashable {
        case data(DataWork)
        case files(FileWork)
        /// Somebody's own file for fio.
        case file(FilePath)
        case tool(ToolWork)
    }

    /// `randread-4k-direct`.
    public var name: String
    public var work: Work
    /// 0 where that is the work's own affair.
    public var clients: Int
    public var depth: Int
    /// What this project's daemon is mounted with for it, besides what was asked for.
    public var mountOptions: [String]
    public var summary: String

    public init(
        _ name: String, _ work: Work, clients: Int = 1, depth: Int = 1, mountOptions: [String] = [], summary: String
    ) {
        self.name = name
        self.work = work
        self.clients = clients
        self.depth = depth
        self.mountOptions = mountOptions
        self.summary = summary
    }

    /// Of somebody's file for fio; nil for other jobs.
    var digest: String? {
        guard case .file(let path) = work, let text = contents(of: path.string) else { return nil }
        var hash = FNV1a()
        hash.combine(text.utf8)
        return String(hash.value, radix: 16)
    }

    /// What its values are.
    var unit: String {
        switch work {
        case .data(let work): work.blockSize >= 1 << 20 ? "MB/s" : "operations/s"
        case .files: "files/s"
        case .file: "operations/s"
        case .tool(let work): work.unit
        }
    }
}

/// Reading or writing large files, by fio.
public struct DataWork: Sendable, Hashable {
    public enum Way: String, Sendable, Hashable {
        /// O_DIRECT: each operation is a request, and the page cache has no part in it.
        case direct
        /// Through the page cache, which a fresh mount has nothing in.
        case buffered
        /// Through the page cache and a shared mapping.
        case mapped
    }

    /// As fio's `rw` has it.
    public var pattern: String
    public var blockSize: Int
    public var way: Way
    /// fsync(2) after each write.
    public var syncs = false

    public init(_ pattern: String, _ blockSize: Int, _ way: Way, syncs: Bool = false) {
        self.pattern = pattern
        self.blockSize = blockSize
        self.way = way
        self.syncs = syncs
    }

    var isWrite: Bool { pattern.hasSuffix("write") }
    /// What is read once is in the page cache, and what was written is to be written back: such work is one pass over its files.
    var isOnePass: Bool { way != .direct && !syncs }
}

/// Many small files, by fio's engines for that.
public enum FileWork: String, Sendable, Hashable, CaseIterable {
    case create
    case stat
    case unlink
}

/// What people wait for and fio has not.
public enum ToolWork: String, Sendable, Hashable, CaseIterable {
    /// A tree is walked and each entry's attributes are read: `find -size`.
    case list
    case rename
    /// tar(1) unpacks an archive of small files.
    case untar
    /// git(1) looks for changes in a work tree.
    case gitStatus = "git-status"
    /// cc(1) compiles files that include others.
    case compile

    var unit: String {
        switch self {
        case .list: "entries/s"
        case .rename, .untar, .gitStatus, .compile: "files/s"
        }
    }

    /// Files that it has to do with; ``list`` and ``rename`` count their own.
    var files: Int { self == .compile ? ToolFiles.compiled : ToolFiles.count }

    /// What it takes besides this program.
    var program: String? {
        switch self {
        case .list, .rename: nil
        case .untar: "tar"
        case .gitStatus: "git"
        case .compile: "cc"
        }
    }
}
