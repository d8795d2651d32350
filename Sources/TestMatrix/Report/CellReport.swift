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

    /// A failure that is accepted as a whole becomes a skip that says so.
    func accepting(_ acceptances: [Acceptance]) -> CellReport {
        if acceptances.isEmpty { return self }
        return CellReport(
            record: record,
            results: results.map { result in
                let covering = Finding.acceptances(of: result, on: record.cell.target, acceptances)
                guard !covering.isEmpty else { return result }
                var accepted = result
                accepted.verdict = .skipped
                accepted.message = "accepted (\(covering[0].words)): \(result.message)"
                return accepted
            })
    }

    public var standing: Standing {
        switch record.state {
        case .planned, .running, .elsewhere: counts.failures > 0 ? .failed : .unfinished
        case .leftOut: .leftOut
        case .finished, .broken: counts.failures > 0 ? .failed : counts.executed == 0 ? .empty : .passed
        }
    }
}
