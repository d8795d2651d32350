import Foundation

/// Makes one run of the last runs of several folders, and gathers their evidence.
public struct ShardMerge {
    private let folders: [String]
    private let output: String

    public init(folders: [String], output: String) {
        self.folders = folders
        self.output = output
    }

    /// - Throws: ``StoreError``.
    public func merge() throws -> RunReport {
        let parts = try folders.map { folder in
            let store = try MatrixSession.store(in: folder, mustExist: true)
            return try RunReport(asRecorded: try store.run(named: "last"), from: store)
        }
        let store = try MatrixSession.store(in: output)
        let id = RunRecord.newID(at: Date())
        let folder = "runs/" + id
        let run = try store.merge(parts, id: id, folder: folder)
        let path = MatrixSession.path(of: folder, in: output)
        for (part, source) in zip(parts, folders) {
            for cell in part.cells where cell.record.wasRun {
                try copy(cell.record.cell.folder, from: source + "/" + part.run.folder, to: path)
            }
        }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return try RunReport(run, from: store)
    }

    private func copy(_ name: String, from source: String, to destination: String) throws {
        let files = FileManager.default
        guard files.fileExists(atPath: source + "/" + name) else { return }
        let target = destination + "/" + name
        try files.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try files.copyItem(atPath: source + "/" + name, toPath: target)
    }
}
