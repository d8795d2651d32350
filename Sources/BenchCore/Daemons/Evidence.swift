import Glibc
public import SystemPackage

/// Saves what proves a failure as files under a run's output directory.
public struct Evidence: Sendable {
    /// The run's output directory.
    public let root: FilePath
    /// Where this one's files go, relative to `root`.
    public let folder: String
    /// Learns of what could not be saved.
    private let keeping: ResultsKeeping

    /// Nothing is created before the first file is saved.
    public init(root: FilePath, folder: String = "evidence") {
        self.init(root: root, folder: folder, keeping: ResultsKeeping())
    }

    init(root: FilePath, folder: String = "evidence", keeping: ResultsKeeping) {
        self.root = root
        self.folder = folder
        self.keeping = keeping
    }

    /// A folder of its own below this one, for one test or cycle.
    public func below(_ name: String) -> Evidence {
        Evidence(root: root, folder: folder + "/" + Evidence.portable(name), keeping: keeping)
    }

    /// A name that every system and every archive of a CI takes: they refuse some characters.
    private static func portable(_ name: String) -> String {
        String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { "\":<>|*?\\".unicodeScalars.contains($0) || $0.value < 32 ? "_" : $0 }))
    }

    /// Writes a file, replacing one of the same name. If it cannot be written, ``Workbench/keeping`` knows.
    ///
    /// - Returns: its path relative to `root`, for ``TestResult/evidence``.
    @discardableResult
    public func save(_ name: String, _ text: String) -> String {
        Evidence.makeFolders(root.appending(folder).string)
        let name = Evidence.portable(name)
        keeping.write(text.utf8, to: root.appending(folder).appending(name), .truncate)
        return folder + "/" + name
    }

    /// Adds to the end of a file, which is made if it is not there.
    public func append(_ name: String, _ text: String) {
        Evidence.makeFolders(root.appending(folder).string)
        keeping.write(text.utf8, to: root.appending(folder).appending(Evidence.portable(name)), .append)
    }

    /// mkdir -p.
    package static func makeFolders(_ path: String) {
        var position = path.index(after: path.startIndex)
        while let slash = path[position...].firstIndex(of: "/") {
            mkdir(String(path[..<slash]), 0o755)
            position = path.index(after: slash)
        }
        mkdir(path, 0o755)
    }
}

extension Evidence {
    /// Removes a file of the bench's own, if it is there.
    package static func remove(_ path: FilePath) { unlink(path.string) }
}
