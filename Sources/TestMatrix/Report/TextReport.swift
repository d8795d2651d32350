import BenchCore

/// A run as plain text, for a terminal or a log.
public struct TextReport {
    private let report: RunReport

    public init(_ report: RunReport) {
        self.report = report
    }

    /// - Parameter width: columns of the terminal; nil for lines of any length.
    public func text(width: Int? = nil) -> String {
        var lines = [
            "run \(report.run.id) on Linux \(report.run.kernel), \(Format.moment(report.run.started))",
            "fstestkit \(report.run.tool), seed \(report.run.seed)" + (report.run.shard.map { ", shard \($0)" } ?? ""),
            "",
        ]
        lines += TextReport.matrix(report).lines(width: width)
        if !report.machines.isEmpty {
            lines += ["", "machines:"] + report.machines.map { "  \($0.name): \($0.machine.text)" }
        }
        if !report.leftOut.isEmpty {
            lines += ["", "left out:"] + report.leftOut.map { "  \($0.record.cell.key): \($0.record.reason)" }
        }
        if !report.unfinished.isEmpty {
            lines += ["", "not run:"]
            lines += report.unfinished.map { cell in
                "  \(cell.record.cell.key)" + (cell.record.reason.isEmpty ? "" : ": \(cell.record.reason)")
            }
        }
        lines += TextReport.findings(report)
        lines += ["", TextReport.summary(report)]
        return lines.joined(separator: "\n") + "\n"
    }

    /// Each thing that is wrong once: what, how often, in which tests and cells, with the first and the worst evidence.
    static func findings(_ report: RunReport) -> [String] {
        var lines: [String] = []
        let open = report.findings.filter { $0.acceptance == nil }
        if !open.isEmpty { lines += ["", "\(Format.count(open.count, "finding")):"] }
        for finding in open {
            let worst = finding.worst.rawValue.uppercased()
            lines += ["  \(worst) \(finding.name)", "    \(finding.extent)"]
            lines.append("    tests: \(TextReport.list(finding.tests)); cells: \(TextReport.list(finding.cells))")
            if finding.places[0].message != finding.name.message {
                lines.append("    first: \(finding.places[0].message)")
            }
            lines += finding.firstEvidence.map { "    see \($0)" }
            if !finding.worstEvidence.isEmpty { lines.append("    the worst: see \(finding.worstEvidence[0])") }
        }
        let accepted = report.findings.filter { $0.acceptance != nil }
        if !accepted.isEmpty { lines += ["", "accepted:"] }
        for finding in accepted {
            lines += ["  \(finding.name)", "    \(finding.extent): \(finding.acceptance?.words ?? "")"]
        }
        if !report.unseenAcceptances.isEmpty { lines += ["", "accepted, and over or not seen:"] }
        lines += report.unseenAcceptances.map { "  \($0.finding): \($0.words)" }
        return lines
    }

    /// The first few, and how many more.
    static func list(_ names: [String], _ limit: Int = 6) -> String {
        names.prefix(limit).joined(separator: ", ")
            + (names.count > limit ? " and \(names.count - limit) more" : "")
    }

    /// Suites by targets; in each group what passed of what was executed.
    static func matrix(_ report: RunReport) -> TextTable {
        var table = TextTable(headings: ["suite"] + report.columns)
        for suite in report.suites {
            table.add([suite] + report.columns.map { report.group(suite, $0).map(group) ?? "" })
        }
        return table
    }

    /// `118/120 FAILED`, `120/120 ok`, `left out`.
    static func group(_ group: CellGroup) -> String {
        let counts = group.counts
        let share = "\(counts.passed)/\(counts.executed)"
        switch group.standing {
        case .passed: return "\(share) ok"
        case .failed: return "\(share) FAILED"
        case .unfinished: return counts.total == 0 ? "not run" : "\(share) not finished"
        case .empty: return "nothing ran"
        case .leftOut: return "left out"
        }
    }

    /// The last line: `FAILED: 357 of 360 executed tests passed (2 failed, 1 hung), 12 skipped, in 3 min 05 s`.
    public static func summary(_ report: RunReport) -> String {
        let counts = report.counts
        var bad: [String] = []
        for verdict in Verdict.allCases where verdict.isFailure && counts[verdict] > 0 {
            bad.append("\(counts[verdict]) \(verdict.rawValue)")
        }
        return "\(verdictWord(report.standing)): \(counts.passed) of \(counts.executed) executed tests passed"
            + (bad.isEmpty ? "" : " (\(bad.joined(separator: ", ")))") + ", \(counts.skipped) skipped, in "
            + Format.duration(report.seconds)
    }

    static func verdictWord(_ standing: Standing) -> String {
        switch standing {
        case .passed: "PASSED"
        case .failed: "FAILED"
        case .unfinished: "NOT FINISHED"
        case .empty, .leftOut: "NOTHING RAN"
        }
    }
}
