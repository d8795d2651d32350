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

            Exit status: 0 without a regression, 1 with one.
            """)

    @Argument(help: "The older run and the newer one; or the newer one alone (default: last).")
    var runs: [String] = []
    @OptionGroup var store: StoreOptions
    @Flag(help: "Compare with the run that was made the baseline.")
    var baseline = false
    @Option(help: "Make this run the baseline, and end.")
    var setBaseline: String?
    @Option(help: "Tell of a time that changed by this factor and by half a second.", transform: Numbers.factor)
    var factor = 2.0
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
        let comparison = try words {
            let new = try store.run(named: runs.last ?? "last")
            let old = try older(than: new, store)
            return Comparison(
                from: try RunReport(old, from: store), to: try RunReport(new, from: store),
                threshold: .init(factor: factor, seconds: 0.5))
        }
        if json { try showJSON(comparison) } else { print(ComparisonReport(comparison).text, terminator: "") }
        if comparison.hasRegression { throw ExitCode.failure }
    }

    private func older(than new: RunRecord, _ store: Store) throws -> RunRecord {
        if runs.count == 2 { return try store.run(named: runs[0]) }
        if baseline { return try store.run(named: "baseline") }
        guard let old = try store.runs(before: new, limit: 1).first else {
            throw StoreError.noSuchRun("before \(new.id)")
        }
        return old
    }
}
