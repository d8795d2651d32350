public import BenchCore
public import Foundation

/// A run of the bench in the store: one like the matrix's, with a cell for each subject.
public struct SpeedArchive {
    private let store: Store
    public let run: RunRecord
    /// Of the run; absolute.
    public let folder: String
    private let lock: RunFolder

    /// Records that a run begins.
    public static func begin(
        in output: String, _ seed: UInt64, tool: String, commandLine: [String], at now: Date = Date()
    ) throws -> SpeedArchive {
        let store = try MatrixSession.store(in: output)
        let id = RunRecord.newID(at: now)
        guard let lock = try RunFolder(MatrixSession.path(of: "runs/" + id, in: output)) else {
            throw MatrixSession.StartError.busy(id)
        }
        let run = RunRecord(
            id: id, started: now, tool: tool, kernel: Machine.kernel, machine: .current,
            environment: RunRecord.currentEnvironment, commandLine: commandLine, seed: seed, folder: "runs/" + id)
        return SpeedArchive(store: store, run: try store.begin(run, cells: []).0, folder: lock.path, lock: lock)
    }

    /// Keeps what was measured. One that was interrupted is a run of fewer rounds, and nothing to go on with.
    public func end(_ record: SpeedRecord, _ results: [TestResult]) throws {
        let cells = record.subjects.enumerated().map { index, subject in
            CellRecord(
                cell: Cell(suite: "bench", target: subject.name), position: index, state: .finished, seed: record.seed,
                command: subject.command, started: run.started, seconds: record.seconds / Double(record.subjects.count))
        }
        try end(cells, results)
    }

    /// Keeps what was counted in a guest.
    public func end(_ results: [TestResult], in machine: SuiteMachine?) throws {
        let cells = results.map(\.target).uniqued().enumerated().map { index, target in
            CellRecord(
                cell: Cell(suite: "bench", kernel: machine?.kernel, target: target), position: index, state: .finished,
                seed: run.seed, started: run.started, machine: machine)
        }
        try end(cells, results)
    }

    private func end(_ cells: [CellRecord], _ results: [TestResult]) throws {
        try store.record(
            cells, of: run, results: cells.map { cell in results.filter { $0.target == cell.cell.target } })
        _ = try store.end(run, state: .finished, at: Date())
        store.checkpoint()
        withExtendedLifetime(lock) {}
    }
}
