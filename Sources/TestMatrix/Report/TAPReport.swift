import BenchCore

/// A run in the Test Anything Protocol: a cell is a test with its areas as subtests, and those have the tests.
///
/// A cell that was left out is skipped; one that was not run though it should have been is not ok.
public struct TAPReport {
    /// Who reads it.
    public enum Dialect: Sendable {
        /// TAP version 14 (testanything.org): what is wrong follows the test as YAML.
        case fourteen
        /// KTAP version 1, which the kernel's own tools read (Documentation/dev-tools/ktap.rst): what is wrong stands before the test
        /// that it is about, `hung` has the directive TIMEOUT and `crashed` ERROR.
        case kernel
    }

    private let report: RunReport
    private let dialect: Dialect

    public init(_ report: RunReport, _ dialect: Dialect) {
        self.report = report
        self.dialect = dialect
    }

    public var text: String {
        var lines = [dialect.version, "1..\(report.cells.count)"]
        for (index, cell) in report.cells.enumerated() { lines += self.cell(cell, number: index + 1) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func cell(_ cell: CellReport, number: Int) -> [String] {
        let name = cell.record.cell.key
        if cell.results.isEmpty {
            let reason = cell.record.reason.isEmpty ? "it was not run" : cell.record.reason
            if cell.standing == .unfinished {
                return point("not ok", number, name, failure: Failure(message: reason, verdict: .crashed))
            }
            return point("ok", number, name, skipped: reason)
        }
        let byArea = Dictionary(grouping: cell.results, by: \.area)
        let areas = cell.results.map(\.area).uniqued()
        var lines = ["# kernel \(TAPReport.line(cell.record.machine?.kernel ?? report.run.kernel))"]
        for (index, area) in areas.enumerated() { lines += self.area(area, byArea[area] ?? [], number: index + 1) }
        return subtest(name, number, count: areas.count, lines, cell.counts)
    }

    private func area(_ area: String, _ results: [TestResult], number: Int) -> [String] {
        let lines = results.enumerated().flatMap { index, result in
            point(
                result.verdict.isFailure ? "not ok" : "ok", index + 1, result.name,
                skipped: result.verdict == .skipped ? result.message : nil,
                failure: result.verdict.isFailure ? Failure(result) : nil)
        }
        return subtest(area, number, count: results.count, lines, Counts(results.lazy.map(\.verdict)))
    }

    /// A subtest and the line that it ends with: skipped if nothing in it was executed.
    private func subtest(_ name: String, _ number: Int, count: Int, _ lines: [String], _ counts: Counts) -> [String] {
        let title = "# Subtest: \(dialect.escaped(name))"
        // Version 14 has it before the subtest, KTAP in it.
        let (outside, inside) = dialect == .fourteen ? ([title], []) : ([], [dialect.version, title])
        return outside + (inside + ["1..\(count)"] + lines).map { dialect.indentation + $0 }
            + point(
                counts.failures > 0 ? "not ok" : "ok", number, name,
                skipped: counts.failures == 0 && counts.executed == 0 ? "" : nil)
    }

    private func point(
        _ word: String, _ number: Int, _ name: String, skipped reason: String? = nil, failure: Failure? = nil
    ) -> [String] {
        var line = "\(word) \(number) \(dialect == .fourteen ? "- " : "")\(dialect.escaped(name))"
        if let reason { line += " # SKIP" + (reason.isEmpty ? "" : " \(dialect.escaped(reason))") }
        guard let failure else { return [line] }
        switch dialect {
        case .fourteen: return [line] + failure.yaml.map { "  " + $0 }
        case .kernel: return failure.diagnostics + [line + failure.directive]
        }
    }

    /// What is told of a test that is not ok.
    private struct Failure {
        var message: String
        var verdict: Verdict
        var checks: [TestResult.Check] = []
        var evidence: [String] = []

        init(message: String, verdict: Verdict) {
            self.message = message
            self.verdict = verdict
        }

        init(_ result: TestResult) {
            self.init(message: result.message, verdict: result.verdict)
            checks = (result.checks ?? []).filter(\.verdict.isFailure)
            evidence = result.evidence
        }

        var diagnostics: [String] {
            let lines = [message] + checks.map { "\($0.name): \($0.message)" } + evidence.map { "see \($0)" }
            return lines.map { "# \(TAPReport.line($0))" }
        }

        /// One document; every value is a quoted string.
        var yaml: [String] {
            var lines = ["---", "message: \(TAPReport.quoted(message))", "severity: \(verdict.rawValue)"]
            if !checks.isEmpty {
                lines.append("checks:")
                lines += checks.map { "  - \(TAPReport.quoted("\($0.label): \($0.message)"))" }
            }
            if !evidence.isEmpty {
                lines.append("evidence:")
                lines += evidence.map { "  - \(TAPReport.quoted($0))" }
            }
            return lines + ["..."]
        }

        var directive: String {
            switch verdict {
            case .hung: " # TIMEOUT"
            case .crashed: " # ERROR"
            case .passed, .failed, .skipped: ""
            }
        }
    }

    /// On one line.
    fileprivate static func line(_ text: String) -> String {
        if text.utf8.allSatisfy({ (32..<127).contains($0) }) { return text }
        return String(text.map { $0.isNewline || ($0.asciiValue ?? 32) < 32 ? " " : $0 })
    }

    /// In double quotes, as YAML and JSON read it.
    private static func quoted(_ text: String) -> String {
        "\"" + line(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension TAPReport.Dialect {
    fileprivate var version: String {
        switch self {
        case .fourteen: "TAP version 14"
        case .kernel: "KTAP version 1"
        }
    }

    fileprivate var indentation: String { self == .kernel ? "  " : "    " }

    /// A name or a reason: `#` would begin a directive.
    fileprivate func escaped(_ text: String) -> String {
        let line = TAPReport.line(text)
        if !line.utf8.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "\\") }) { return line }
        switch self {
        case .fourteen: return line.replacing("\\", with: "\\\\").replacing("#", with: "\\#")
        case .kernel: return line.replacing("#", with: "_")
        }
    }
}
