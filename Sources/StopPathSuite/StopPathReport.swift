public import BenchCore
import Glibc
public import SystemPackage

/// The end of a run, for people: a table of scenario × target, and the failures with where their evidence lies.
public struct StopPathReport: Sendable {
    let results: [TestResult]
    let output: FilePath

    public init(_ results: [TestResult], output: FilePath) {
        self.results = results
        self.output = output
    }

    /// The table, the failures, the oracles that could not be asked, and a summary.
    public var text: String {
        [table, failures, notRun, unavailable, summary].filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    private var targets: [String] { unique(results.filter { $0.area != "run" }.map(\.target)) }

    private func unique(_ list: [String]) -> [String] {
        var seen = Set<String>()
        return list.filter { seen.insert($0).inserted }
    }

    private var table: String {
        let rows = unique(results.filter { $0.area != "run" }.map(\.area)).map { area in
            [area] + targets.map { cell(area, $0) }
        }
        let all = [["scenario"] + targets] + rows
        let widths = (0...targets.count).map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            zip(row, widths).map { $0.0 + String(repeating: " ", count: $0.1 - $0.0.count) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private func cell(_ area: String, _ target: String) -> String {
        let own = results.filter { $0.area == area && $0.target == target }
        let run = own.filter { $0.verdict != .skipped }
        if run.isEmpty { return own.isEmpty ? "" : "-" }
        let failed = run.filter(\.verdict.isFailure)
        if failed.isEmpty { return "pass \(run.count)/\(run.count)" }
        let oracles = Set(failed.flatMap { $0.checks ?? [] }.filter { $0.verdict.isFailure }.map(\.name)).sorted()
        return "FAIL \(oracles.joined(separator: " ")) \(failed.count)/\(run.count)"
    }

    private var failures: String {
        results.filter(\.verdict.isFailure).map { result in
            let place =
                result.evidence.first.map { output.appending($0).removingLastComponent().string } ?? "no evidence"
            return
                "\(result.target): \(result.name): \(result.verdict.rawValue): \(result.message)\n    evidence: \(place)"
        }.joined(separator: "\n")
    }

    private var notRun: String {
        let reasons = unique(results.filter { $0.verdict == .skipped && $0.area != "run" }.map(\.message))
        return reasons.map { reason in
            let cells = results.filter { $0.verdict == .skipped && $0.message == reason }.map {
                "\($0.area) on \($0.target)"
            }
            return "not run: \(unique(cells).joined(separator: ", ")): \(reason)"
        }.joined(separator: "\n")
    }

    private var unavailable: String {
        let checks = results.flatMap { $0.checks ?? [] }.filter { $0.verdict == .skipped }
        return unique(checks.map { "oracle \($0.label): \($0.message)" }).joined(separator: "\n")
    }

    private var summary: String {
        let run = results.filter { $0.verdict != .skipped && $0.area != "run" }
        let failed = run.filter(\.verdict.isFailure).count
        // The sum says what the exit status says: a check over the whole run counts, too.
        let whole = results.filter { $0.area == "run" && $0.verdict.isFailure }.map { "\($0.name) failed" }
        let cycles = "\(run.count) cycles, \(run.count - failed) passed, \(failed) failed"
        return ([cycles] + whole).joined(separator: "; ") + "; results in \(output.appending("results.jsonl"))"
    }

    static func decimal(_ value: Double, _ digits: Int) -> String {
        let scale = pow(10, Double(digits))
        let rounded = Int((value * scale).rounded())
        let fraction = "\(rounded % Int(scale))"
        return "\(rounded / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
