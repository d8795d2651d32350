import BenchCore
import Foundation

/// Where a run stands, as a small file in its folder says it to who watches from another machine: a store that is being written to cannot
/// be read over a network.
struct ShardProgress: Codable, Sendable, Equatable {
    struct CellProgress: Codable, Sendable, Equatable {
        var cell: Cell
        var position: Int
        var state: CellRecord.State
        var counts: Counts
        var planned: Int?
        var current: String?
        var expected: Double?
        var seconds: Double
        var started: Date?
    }

    struct Failure: Codable, Sendable, Equatable {
        var cell: Cell
        var result: TestResult
    }

    var run: String
    var shard: String?
    var machine: String
    var kernel: String
    var seed: UInt64
    var began: Date
    var isEnded: Bool
    var cells: [CellProgress]
    /// The last ones.
    var failures: [Failure]

    static let fileName = "progress.json"

    init(_ progress: MatrixProgress, shard: String?, machine: String, isEnded: Bool) {
        run = progress.runID
        self.shard = shard
        self.machine = machine
        kernel = progress.kernel
        seed = progress.seed
        began = progress.began
        self.isEnded = isEnded
        cells = progress.cells.map {
            CellProgress(
                cell: $0.record.cell, position: $0.record.position, state: $0.record.state, counts: $0.counts,
                planned: $0.planned, current: $0.current, expected: $0.expected, seconds: $0.record.seconds,
                started: $0.record.started)
        }
        failures = progress.failures.suffix(50).map { Failure(cell: $0.cell, result: $0.result) }
    }

    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path),
            let value = try? JSONDecoder().decode(ShardProgress.self, from: data)
        else { return nil }
        self = value
    }

    /// Into the run's folder, at once or not at all.
    func write(to folder: String) {
        // Who watches is no reason to stop the run.
        guard let data = try? JSONEncoder().encode(self) else { return }
        try? data.write(to: URL(fileURLWithPath: folder + "/" + ShardProgress.fileName), options: .atomic)
    }
}
