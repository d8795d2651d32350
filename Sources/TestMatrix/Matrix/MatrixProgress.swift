public import BenchCore
public import Foundation

/// Where a matrix stands: what the views show.
public struct MatrixProgress: Sendable {
    public struct CellProgress: Sendable {
        public var record: CellRecord
        public var counts = Counts()
        /// How many results it said would come; nil as long as it has not said.
        public var planned: Int?
        /// The test that is running, as `area/name`.
        public var current: String?
        public var testBegan: Date?
        /// How long it took before, in seconds; nil if it is new.
        public var expected: Double?
    }

    public struct Failure: Sendable {
        public var cell: Cell
        public var result: TestResult
    }

    public let runID: String
    public let kernel: String
    public let seed: UInt64
    public let began: Date
    public var cells: [CellProgress]
    /// The index of the cell at work.
    public var current: Int?
    public var failures: [Failure] = []

    public init(run: RunRecord, cells: [CellProgress], began: Date) {
        self.init(runID: run.id, kernel: run.kernel, seed: run.seed, cells: cells, began: began)
    }

    init(runID: String, kernel: String, seed: UInt64, cells: [CellProgress], began: Date) {
        self.runID = runID
        self.kernel = kernel
        self.seed = seed
        self.cells = cells
        self.began = began
    }

    public var counts: Counts { cells.reduce(into: Counts()) { $0 += $1.counts } }
    public var done: Int { cells.filter { $0.record.wasRun }.count }
    /// Cells that are run here.
    public var all: Int { cells.filter { ![.leftOut, .elsewhere].contains($0.record.state) }.count }
    public var suites: [String] { cells.map(\.record.cell.suite).uniqued() }
    public var columns: [String] { cells.map(\.record.cell.column).uniqued() }

    /// Seconds until the end, as far as past runs and finished cells of the same suite tell; nil if nothing does.
    public func remaining(at now: Date) -> Double? {
        var sum = 0.0
        for (index, cell) in cells.enumerated() {
            switch cell.record.state {
            case .planned:
                guard let expected = expectation(cell) else { return nil }
                sum += expected
            case .running:
                guard index == current else { continue }
                let elapsed = now.timeIntervalSince(cell.record.started ?? now)
                let share = cell.planned.map { Double(cell.counts.total) / Double(max(1, $0)) } ?? 0
                if let expected = expectation(cell) {
                    sum += max(0, expected - elapsed)
                } else if share > 0.1 {
                    sum += elapsed / share - elapsed
                } else {
                    return nil
                }
            default: break
            }
        }
        return sum
    }

    private func expectation(_ cell: CellProgress) -> Double? {
        if let expected = cell.expected { return expected }
        let finished = cells.filter { $0.record.cell.suite == cell.record.cell.suite && $0.record.state == .finished }
        return finished.isEmpty ? nil : finished.reduce(0) { $0 + $1.record.seconds } / Double(finished.count)
    }
}
