public import BenchCore
import Foundation

/// A run with its cells and results: what every format shows. None of them counts by itself.
public struct RunReport: Sendable {
    public var run: RunRecord
    public var cells: [CellReport]
    /// All that is wrong, what is accepted last.
    public let findings: [Finding]
    /// What is accepted and was not seen: it may be gone.
    public let unseenAcceptances: [Acceptance]

    /// - Parameter acceptances: findings that count as skips.
    public init(run: RunRecord, cells: [CellReport], acceptances: [Acceptance] = []) {
        self.run = run
        let inForce = acceptances.filter { !$0.isOver(on: Format.day(run.started)) }
        findings = Finding.all(in: cells, accepting: inForce)
        let seen = Set(findings.compactMap(\.acceptance))
        unseenAcceptances = acceptances.filter { !seen.contains($0) }
        self.cells = cells.map { $0.accepting(inForce) }
    }

    /// Reads a run from the store, with what its settings accept.
    public init(_ run: RunRecord, from store: Store) throws {
        try self.init(asRecorded: run, from: store, acceptances: run.acceptances)
    }

    /// Reads a run from the store, whatever its settings accept.
    init(asRecorded run: RunRecord, from store: Store, acceptances: [Acceptance] = []) throws {
        let results = try store.results(of: run)
        self.init(
            run: run, cells: try store.cells(of: run).map { CellReport(record: $0, results: results[$0.id] ?? []) },
            acceptances: acceptances)
    }

    public var counts: Counts { cells.reduce(into: Counts()) { $0 += $1.counts } }
    /// Wall time of the cells, in seconds.
    public var seconds: Double { cells.reduce(0) { $0 + $1.record.seconds } }
    public var failures: [(cell: CellReport, result: TestResult)] {
        cells.flatMap { cell in cell.failures.map { (cell, $0) } }
    }
    public var leftOut: [CellReport] { cells.filter { $0.record.state == .leftOut } }
    /// Cells that should have been run and were not: the run was interrupted, or a shard is missing.
    public var unfinished: [CellReport] { cells.filter { $0.record.isMissing(inShard: nil) } }

    /// In a run that is no shard: the shards that it lacks.
    public var missingShards: [String] {
        guard run.shard == nil else { return [] }
        return cells.filter { $0.record.state == .elsewhere }.map(\.record.reason).uniqued().sorted {
            $0.compare($1, options: .numeric) == .orderedAscending
        }
    }

    /// The rows of the matrix.
    public var suites: [String] { cells.map(\.record.cell.suite).uniqued() }
    /// The columns of the matrix: targets with their depths.
    public var columns: [String] { columnsOfKernels.flatMap(\.columns) }

    /// The columns by kernel: nil is the machine's own.
    var columnsOfKernels: [(kernel: String?, columns: [String])] {
        cells.map(\.record.cell.kernel).uniqued().map { kernel in
            (kernel, cells.filter { $0.record.cell.kernel == kernel }.map(\.record.cell.column).uniqued())
        }
    }

    /// The machines that ran columns of their own, by their names: what each is.
    var machines: [(name: String, machine: SuiteMachine)] {
        var seen: Set<String> = []
        return cells.compactMap { cell in
            guard let name = cell.record.cell.kernel, let machine = cell.record.machine, seen.insert(name).inserted
            else { return nil }
            return (name, machine)
        }
    }

    /// What a suite came to on one target, over all its cycles.
    public func group(_ suite: String, _ column: String) -> CellGroup? {
        let matching = cells.filter { $0.record.cell.suite == suite && $0.record.cell.column == column }
        return matching.isEmpty ? nil : CellGroup(cells: matching)
    }

    public var standing: Standing {
        if counts.failures > 0 { return .failed }
        if cells.contains(where: { $0.record.isMissing(inShard: run.shard) }) { return .unfinished }
        return counts.executed == 0 ? .empty : .passed
    }
}

extension RunRecord {
    /// What its settings accept.
    var acceptances: [Acceptance] {
        (try? JSONColumn.value(MatrixConfiguration.self, configuration))?.accept ?? []
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, in the order of first appearance.
    func uniqued() -> [Element] {
        var seen = Set<Element>()
        return filter { seen.insert($0).inserted }
    }
}
