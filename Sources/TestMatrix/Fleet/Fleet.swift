import BenchCore
public import Foundation

/// The shards of a matrix at work on several machines, as their folders on shared storage tell.
public struct Fleet {
    private let folders: [String]
    private var shards: [String: Member] = [:]

    struct Member {
        var progress: ShardProgress
        /// When that was news, by the clock of who watches: the shard's may be wrong.
        var heard: Date
    }

    /// - Parameter folders: of shards (`--output`), or folders that have those in them.
    public init(_ folders: [String]) {
        self.folders = folders
    }

    /// Looks at what the shards have written.
    public mutating func look(at now: Date) {
        for path in folders.flatMap(Fleet.outputs) {
            guard let progress = Fleet.latest(in: path), progress != shards[path]?.progress else { continue }
            shards[path] = Member(progress: progress, heard: now)
        }
    }

    public var isEmpty: Bool { shards.isEmpty }

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
    private static func latest(in output: String) -> ShardProgress? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output + "/runs")) ?? []
        return names.compactMap { ShardProgress(path: "\(output)/runs/\($0)/\(ShardProgress.fileName)") }.max {
            $0.began < $1.began
        }
    }
}
