import Foundation
import Glibc

/// Makes one run of the last runs of several folders, and gathers their evidence.
public struct ShardMerge {
    private let folders: [String]
    private let output: String
    private let columns: RunUnion.Columns?

    public init(folders: [String], columns: RunUnion.Columns? = nil, output: String) {
        self.folders = folders
        self.columns = columns
        self.output = output
    }

    /// A folder whose results cannot be had: its shard never began, or its machine died while it wrote.
    public struct Unreadable: Sendable {
        public let folder: String
        public let why: StoreError
    }

    /// Puts together what can be read. What that lacks the run lacks, by name.
    ///
    /// - Parameter isStopped: asked before each part is read; whoever answers true has changed nothing.
    /// - Throws: ``StoreError``; of folders that cannot be read only if there is no other. `CancellationError` when stopped.
    public func merge(isStopped: () -> Bool = { false }) throws -> (report: RunReport, unreadable: [Unreadable]) {
        var parts: [(folder: String, report: RunReport)] = []
        var unreadable: [Unreadable] = []
        for folder in folders {
            if isStopped() { throw CancellationError() }
            do {
                parts.append((folder, try ShardMerge.read(folder)))
            } catch let error as StoreError {
                unreadable.append(Unreadable(folder: folder, why: error))
            }
        }
        if parts.isEmpty, let first = unreadable.first { throw first.why }
        let union = try RunUnion(parts.map(\.report), columns: columns)
        let merged = try union.report()
        let store = try MatrixSession.store(in: output)
        let path = MatrixSession.path(of: merged.run.folder, in: output)
        try gather(zip(parts, union.parts).map { ($0.folder, $0.report, $1) }, in: path)
        let (report, replaced) = try store.replace(with: merged)
        for folder in replaced {
            try? FileManager.default.removeItem(atPath: MatrixSession.path(of: folder, in: output))
        }
        return (report, unreadable)
    }

    /// The last run in a folder. Its store is copied first: who reads it changes nothing (a store of an older version would be brought
    /// up to date) and needs no right to write there, and a machine that died while it wrote has left a log that SQLite sorts out.
    private static func read(_ folder: String) throws -> RunReport {
        let files = FileManager.default
        let original = MatrixSession.storePath(in: folder)
        guard files.fileExists(atPath: original) else { throw StoreError.noStore(original) }
        let copy = files.temporaryDirectory.appendingPathComponent("fstestkit-merge-\(UUID().uuidString)").path
        defer { try? files.removeItem(atPath: copy) }
        do {
            try files.createDirectory(atPath: copy, withIntermediateDirectories: true)
            for suffix in ["", "-wal"] where files.fileExists(atPath: original + suffix) {
                try files.copyItem(atPath: original + suffix, toPath: MatrixSession.storePath(in: copy) + suffix)
            }
        } catch let error as CocoaError {
            let reason = (error.underlying as? POSIXError).map { String(cString: strerror($0.code.rawValue)) }
            throw StoreError.notReadable(
                original, "it is copied to \(copy) first: \(reason ?? error.localizedDescription)")
        }
        do {
            let store = try Store(path: MatrixSession.storePath(in: copy), mustExist: true, isScratch: true)
            return try RunReport(asRecorded: try store.runRecordedLast(), from: store)
        } catch let error as StoreError {
            throw error.naming(original)
        }
    }

    /// Copies the evidence of each cell that was run, into a folder that is there as a whole or not at all.
    ///
    /// - Parameter parts: where each lies, how it was run, and what its cells are called in the whole.
    private func gather(_ parts: [(folder: String, original: RunReport, part: RunReport)], in path: String) throws {
        let files = FileManager.default
        let draft = path + ".part"
        try? files.removeItem(atPath: draft)
        try files.createDirectory(atPath: draft, withIntermediateDirectories: true)
        for (folder, original, part) in parts {
            for (cell, named) in zip(original.cells, part.cells) where cell.record.wasRun {
                let source = "\(folder)/\(original.run.folder)/\(cell.record.cell.folder)"
                let target = "\(draft)/\(named.record.cell.folder)"
                guard files.fileExists(atPath: source), !files.fileExists(atPath: target) else { continue }
                try files.createDirectory(
                    atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try files.copyItem(atPath: source, toPath: target)
            }
        }
        try? files.removeItem(atPath: path)
        try files.moveItem(atPath: draft, toPath: path)
    }
}
