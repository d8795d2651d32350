public import BenchCore

/// A run with its cells and results: what every format shows. None of them counts by itself.
public struct RunReport: Sendable {
    public var run: RunRecord
    public var cells: [CellReport]

    public init(run: RunRecord, cells: [CellReport]) {
        self.run = run
        self.cells = cells
    }

    /// Reads a run from the store.
    public init(_ run: RunRecord, from store: Store) throws {
        let results = try store.results(of: run)
        self.init(
            run: run, cells: try store.cells(of: run).map { CellReport(record: $0, results: results[$0.id] ?? []) })
    }

    public var counts: Counts { cells.reduce(into: Counts()) { $0 += $1.counts } }
    /// Wall time of the cells, in seconds.
    public var seconds: Double { cells.reduce(0) { $0 + $1.record.seconds } }
    public var failures: [(cell: CellReport, result: TestResult)] {
        cells.flatMap { cell in cell.failures.map { (cell, $0) } }
    }
    public var leftOut: [CellReport] { cells.filter { $0.record.state == .leftOut } }
    /// Cells that should have been run and were not: the run was interrupted, or a shard is missing.
    public var unfinished: [CellReport] { cells.filter { [.planned, .running, .elsewhere].contains($0.record.state) } }

    /// In a run that is no shard: the shards that it lacks.
    public var missingShards: [String] {
        run.shard == nil ? cells.filter { $0.record.state == .elsewhere }.map(\.record.reason).uniqued() : []
    }

    /// The rows of the matrix.
    public var suites: [String] { cells.map(\.record.cell.suite).uniqued() }
    /// The columns of the matrix: targets with their depths.
    public var columns: [String] { cells.map(\.record.cell.column).uniqued() }

    /// One square of the matrix, over all its cycles.
    public func square(_ suite: String, _ column: String) -> SquareReport? {
        let matching = cells.filter { $0.record.cell.suite == suite && $0.record.cell.column == column }
        return matching.isEmpty ? nil : SquareReport(cells: matching)
    }

    public var standing: Standing {
        if counts.failures > 0 { return .failed }
        if cells.contains(where: { $0.record.isMissing(inShard: run.shard) }) { return .unfinished }
        return counts.executed == 0 ? .empty : .passed
    }
}

/// What a run, a cell or a square comes to.
public enum Standing: String, Sendable, Codable {
    case passed, failed
    /// Not all of it was run.
    case unfinished
    /// Nothing was executed.
    case empty
    case leftOut = "left out"
}

/// A cell and its results.
public struct CellReport: Sendable {
    public var record: CellRecord
    public var results: [TestResult]
    public let counts: Counts

    public init(record: CellRecord, results: [TestResult]) {
        self.record = record
        self.results = results
        counts = Counts(results.lazy.map(\.verdict))
    }

    public var failures: [TestResult] { results.filter(\.verdict.isFailure) }

    public var standing: Standing {
        switch record.state {
        case .planned, .running, .elsewhere: counts.failures > 0 ? .failed : .unfinished
        case .leftOut: .leftOut
        case .finished, .broken: counts.failures > 0 ? .failed : counts.executed == 0 ? .empty : .passed
        }
    }
}

/// The cycles of one suite on one target.
public struct SquareReport: Sendable {
    public var cells: [CellReport]

    public var counts: Counts { cells.reduce(into: Counts()) { $0 += $1.counts } }
    public var seconds: Double { cells.reduce(0) { $0 + $1.record.seconds } }

    public var standing: Standing {
        let standings = cells.map(\.standing)
        for worst in [Standing.failed, .unfinished, .passed, .empty] where standings.contains(worst) { return worst }
        return .leftOut
    }

    /// Why there is nothing to show.
    public var reason: String { cells.map(\.record.reason).filter { !$0.isEmpty }.uniqued().joined(separator: "; ") }
}

extension Sequence where Element: Hashable {
    /// Each element once, in the order of first appearance.
    func uniqued() -> [Element] {
        var seen = Set<Element>()
        return filter { seen.insert($0).inserted }
    }
}
