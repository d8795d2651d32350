public import BenchCore

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
