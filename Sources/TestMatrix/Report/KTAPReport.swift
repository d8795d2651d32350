import BenchCore

/// A run as KTAP, version 1, which the kernel's own tools read (Documentation/dev-tools/ktap.rst): a cell is a test with its areas
/// as subtests, and those have the tests.
///
/// `hung` is a failure with the directive TIMEOUT, and `crashed` one with ERROR. A cell that was left out is skipped.
public struct KTAPReport {
    private let report: RunReport

    public init(_ report: RunReport) {
        self.report = report
    }

    public var text: String {
        var lines = ["KTAP version 1", "1..\(report.cells.count)"]
        for (index, cell) in report.cells.enumerated() { lines += self.cell(cell, number: index + 1) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func cell(_ cell: CellReport, number: Int) -> [String] {
        let name = KTAPReport.word(cell.record.cell.key)
        if cell.results.isEmpty {
            let reason = cell.record.reason.isEmpty ? "it was not run" : cell.record.reason
            // What was not run though it should have been is no skip.
            if cell.standing == .unfinished { return ["not ok \(number) \(name) # ERROR \(KTAPReport.line(reason))"] }
            return ["ok \(number) \(name) # SKIP \(KTAPReport.line(reason))"]
        }
        let areas = cell.results.map(\.area).uniqued()
        var lines = ["KTAP version 1", "# Subtest: \(name)", "1..\(areas.count)"]
        lines.append("# kernel \(KTAPReport.line(cell.record.machine?.kernel ?? report.run.kernel))")
        for (index, area) in areas.enumerated() {
            lines += self.area(area, cell.results.filter { $0.area == area }, number: index + 1)
        }
        return lines.map { "  " + $0 } + [conclusion(cell.counts, number, name)]
    }

    private func area(_ area: String, _ results: [TestResult], number: Int) -> [String] {
        var lines = ["KTAP version 1", "# Subtest: \(KTAPReport.word(area))", "1..\(results.count)"]
        for (index, result) in results.enumerated() {
            let isBad = result.verdict.isFailure
            if isBad {
                // Diagnostics stand before the line that they are about.
                lines +=
                    ([result.message]
                    + (result.checks ?? []).filter(\.verdict.isFailure).map { check in
                        "\(check.name): \(check.message)"
                    }).map { "# \(KTAPReport.line($0))" }
                lines += result.evidence.map { "# see \(KTAPReport.line($0))" }
            }
            var line = "\(isBad ? "not ok" : "ok") \(index + 1) \(KTAPReport.word(result.name))"
            switch result.verdict {
            case .passed, .failed: break
            case .skipped: line += " # SKIP \(KTAPReport.line(result.message))"
            case .hung: line += " # TIMEOUT"
            case .crashed: line += " # ERROR"
            }
            lines.append(line)
        }
        return lines.map { "  " + $0 } + [
            conclusion(Counts(results.lazy.map(\.verdict)), number, KTAPReport.word(area))
        ]
    }

    /// A subtest's end: skipped if nothing in it was executed.
    private func conclusion(_ counts: Counts, _ number: Int, _ name: String) -> String {
        if counts.failures > 0 { return "not ok \(number) \(name)" }
        return "ok \(number) \(name)" + (counts.executed == 0 ? " # SKIP" : "")
    }

    /// A name: `#` would begin a directive.
    private static func word(_ text: String) -> String { line(text).replacing("#", with: "_") }

    private static func line(_ text: String) -> String {
        String(text.map { $0.isNewline || ($0.asciiValue ?? 32) < 32 ? " " : $0 })
    }
}
