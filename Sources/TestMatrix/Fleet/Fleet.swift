import BenchCore
public import Foundation

/// The shards of a matrix at work on several machines, as their folders on shared storage tell.
public struct Fleet {
    private let folders: [String]
    private var shards: [String: Member] = [:]

    struct Member {
        var progress: ShardProgress
        /// Another one each time that the shard has written, were it the same again: a test may take minutes.
        var writing: Writing
        /// When that was news, by the clock of who watches: the shard's may be wrong.
        var heard: Date
    }

    /// Tells one writing of a file from the next. Its date is not read as a time.
    struct Writing: Equatable {
        var file: UInt64
        var date: Date

        init?(path: String) {
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let file = attributes[.systemFileNumber] as? NSNumber, let date = attributes[.modificationDate] as? Date
            else { return nil }
            self.file = file.uint64Value
            self.date = date
        }
    }

    /// - Parameter folders: of shards (`--output`), or folders that have those in them.
    public init(_ folders: [String]) {
        self.folders = folders
    }

    /// Looks at what the shards have written.
    public mutating func look(at now: Date) {
        for path in folders.flatMap(Fleet.outputs) {
            guard let (progress, writing) = Fleet.latest(in: path), writing != shards[path]?.writing else { continue }
            shards[path] = Member(progress: progress, writing: writing, heard: now)
        }
    }

    public var isEmpty: Bool { shards.isEmpty }

    /// Whether nothing more is to be learned from waiting: each shard has ended, has written since it was first looked at, or has been
    /// silent for so long that it is said to be.
    ///
    /// - Parameter began: when it was first looked at.
    public func isKnown(at now: Date, since began: Date) -> Bool {
        shards.values.allSatisfy {
            $0.progress.isEnded || $0.heard > began || now.timeIntervalSince($0.heard) > FleetFrame.silence
        }
    }

    /// Whether all shards that have begun have ended, and no cell is left.
    public var isDone: Bool {
        !isEmpty && shards.values.allSatisfy(\.progress.isEnded)
            && !progress.cells.contains { $0.record.isMissing(inShard: nil) }
    }

    /// By the number of the shard.
    var sorted: [Member] {
        shards.sorted { $0.key.compare($1.key, options: .numeric) == .orderedAscending }.map(\.value)
    }

    /// All shards as one run.
    public var progress: MatrixProgress {
        var cells: [Cell: MatrixProgress.CellProgress] = [:]
        var order: [(position: Int, cell: Cell)] = []
        for shard in sorted {
            for cell in shard.progress.cells {
                var record = CellRecord(cell: cell.cell, position: cell.position, state: cell.state, seed: 0)
                record.seconds = cell.seconds
                record.started = cell.started
                let own = MatrixProgress.CellProgress(
                    record: record, counts: cell.counts, planned: cell.planned, current: cell.current,
                    expected: cell.expected)
                if cells[cell.cell] == nil { order.append((cell.position, cell.cell)) }
                if cells[cell.cell].map({ $0.record.state == .elsewhere }) ?? true { cells[cell.cell] = own }
            }
        }
        let first = sorted.map(\.progress.began).min() ?? Date()
        let kernels = sorted.map(\.progress.kernel).uniqued().joined(separator: ", ")
        var progress = MatrixProgress(
            runID: Format.count(shards.count, "shard"), kernel: kernels, seed: sorted.first?.progress.seed ?? 0,
            cells: order.sorted { $0.position < $1.position }.compactMap { cells[$0.cell] }, began: first)
        progress.current = progress.cells.firstIndex { $0.record.state == .running }
        progress.failures = sorted.flatMap { shard in
            shard.progress.failures.map { .init(cell: $0.cell, result: $0.result) }
        }
        return progress
    }

    /// Folders with runs in them: the folder itself, or those in it.
    private static func outputs(_ folder: String) -> [String] {
        let files = FileManager.default
        if files.fileExists(atPath: folder + "/runs") { return [folder] }
        let names = (try? files.contentsOfDirectory(atPath: folder)) ?? []
        return names.map { folder + "/" + $0 }.filter { files.fileExists(atPath: $0 + "/runs") }
    }

    /// The last run in a folder: a shard that could not be resumed has several.
    private static func latest(in output: String) -> (ShardProgress, Writing)? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output + "/runs")) ?? []
        return names.compactMap { name in
            let path = "\(output)/runs/\(name)/\(ShardProgress.fileName)"
            // What is read is at least as new.
            guard let writing = Writing(path: path), let progress = ShardProgress(path: path) else { return nil }
            return (progress, writing)
        }.max { $0.0.began < $1.0.began }
    }
}
