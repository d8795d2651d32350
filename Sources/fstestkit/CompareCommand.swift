import ArgumentParser
import Foundation
import LinuxSystem
import BenchCore
import TestMatrix

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Show what changed between two runs.",
        discussion: """
            Runs are named by their id or a beginning of it, last, last~1 (the one before) or baseline. With one name, that run is \
            compared with the baseline (--baseline) or with the one before it.

            What was measured (fstestkit bench) is compared by the ratio of its medians: on the same machine, kernel and settings as \
            it is and beside its reference, else beside the reference alone. It is a regression when the whole interval lies \
            beyond --factor.

            Exit status: 0 without a regression, 1 with one, 69 if there is nothing to compare: no such run, or none of one's tests and \
            measurements is in the other.
            """)

    @Argument(help: "The older run and the newer one; or the newer one alone (default: last).")
    var runs: [String] = []
    @OptionGroup var store: StoreOptions
    @Flag(help: "Compare with the run that was made the baseline.")
    var baseline = false
    @Option(help: "Make this run the baseline, and end.")
    var setBaseline: String?
    @Option(
        help:
            "Tell of a time that changed by this factor and half a second (default: 2), of a speed that did (default: 1.05).",
        transform: Numbers.factor)
    var factor: Double?
    @Flag(help: "As JSON.")
    var json = false

    func validate() throws {
        if runs.count > 2 || baseline && runs.count > 1 {
            throw ValidationError("two runs are compared, not \(runs.count + (baseline ? 1 : 0))")
        }
    }

    func run() throws {
        let store = try store.open()
        if let setBaseline {
            return try words {
                let run = try store.run(named: setBaseline)
                try store.markAsBaseline(run, at: Date())
                print("\(run.id) is the baseline")
            }
        }
        let (old, new) = try words {
            let new = try runs.last.map { try store.run(named: $0) } ?? newest(store)
            return (try RunReport(try older(than: new, store), from: store), try RunReport(new, from: store))
        }
        let comparison = Comparison(from: old, to: new, threshold: .init(factor: factor ?? 2, seconds: 0.5))
        let speeds = SpeedComparison(from: old, to: new, factor: factor ?? 1.05)
        if json {
            try showJSON(Document(comparison: comparison, speeds: speeds))
        } else {
            print(ComparisonReport(comparison).text, terminator: "")
            if !speeds.changes.isEmpty { print("\n" + SpeedComparisonReport(speeds).text, terminator: "") }
        }
        if comparison.hasRegression || speeds.hasRegression { throw ExitCode.failure }
        if comparison.common == 0, speeds.changes.isEmpty {
            throw fail("nothing was compared: \(old.run.id) and \(new.run.id) have no test in common", .unavailable)
        }
    }

    private func older(than new: RunRecord, _ store: Store) throws -> RunRecord {
        if runs.count == 2 { return try store.run(named: runs[0]) }
        if baseline { return try store.run(named: "baseline") }
        // The matrix and the bench share the store: the one before is the one with the same suites.
        let suites = Set(try store.cells(of: new).map(\.cell.suite))
        let earlier = try store.runs(before: new, limit: 50)
        let alike = try earlier.first { try !suites.isDisjoint(with: store.cells(of: $0).map(\.cell.suite)) }
        guard let old = alike ?? earlier.first else {
            throw fail("\(new.id) is the first finished run here: there is none to compare it with", .unavailable)
        }
        return old
    }

    /// The last run that is finished: another may be under way, or was killed.
    private func newest(_ store: Store) throws -> RunRecord {
        let finished = try store.runs(limit: 50).first { $0.state == .finished }
        return try finished ?? store.run(named: "last")
    }

    /// The tests' comparison, and with it what was measured.
    private struct Document: Encodable {
        let comparison: Comparison
        let speeds: SpeedComparison

        private enum CodingKeys: CodingKey { case speeds }

        func encode(to encoder: any Encoder) throws {
            try comparison.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(speeds, forKey: .speeds)
        }
    }
}
