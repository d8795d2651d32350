import BenchCore

/// A run as Markdown that fits a CI job's summary: the matrix, what failed, what was left out.
public struct MarkdownReport {
    private let report: RunReport
    /// GitHub cuts a summary off at 1 MiB; nobody reads half of that.
    private static let limit = 50

    public init(_ report: RunReport) {
        self.report = report
    }

    public var text: String {
        var lines = ["## \(icon(report.standing)) fstestkit: \(TextReport.summary(report))", ""]
        lines.append("| suite | " + report.columns.map(escaped).joined(separator: " | ") + " |")
        lines.append("|---|" + String(repeating: "---:|", count: report.columns.count))
        for suite in report.suites {
            let groups = report.columns.map { column in
                report.group(suite, column).map { "\(icon($0.standing)) \(groupText($0))" } ?? ""
            }
            lines.append("| **\(escaped(suite))** | " + groups.joined(separator: " | ") + " |")
        }
        lines += [
            "",
            "Each cell: passed / executed. Linux \(report.run.kernel), \(Format.moment(report.run.started)), "
                + "seed \(report.run.seed), run `\(report.run.id)`.",
        ]
        lines += section("Machines", report.machines.map { "`\($0.name)`: \(escaped($0.machine.text))" })
        lines += findings()
        lines += section("Left out", report.leftOut.map { "`\($0.record.cell.key)`: \(escaped($0.record.reason))" })
        lines += section("Not run", report.unfinished.map { "`\($0.record.cell.key)` \(escaped($0.record.reason))" })
        return lines.joined(separator: "\n") + "\n"
    }

    private func findings() -> [String] {
        let open = report.findings.filter { $0.acceptance == nil }
        var lines: [String] = []
        if !open.isEmpty {
            lines += ["", "### Findings", "", "| finding | verdict | how often | where |", "|---|---|---|---|"]
        }
        for finding in open.prefix(MarkdownReport.limit) {
            let place = "\(TextReport.list(finding.tests, 3)) (\(TextReport.list(finding.cells, 3)))"
            let name = "\(finding.name.suite)/\(finding.name.check): \(finding.places[0].message)"
            lines.append(
                "| \(escaped(name)) | \(finding.worst.rawValue) | \(finding.extent) | \(escaped(place)) |")
        }
        if open.count > MarkdownReport.limit {
            lines += ["", "… and \(open.count - MarkdownReport.limit) more; the HTML page has them all."]
        }
        let accepted = report.findings.filter { $0.acceptance != nil }
        return lines
            + section(
                "Accepted", accepted.map { escaped("\($0.name) (\($0.extent)): \($0.acceptance?.words ?? "")") })
    }

    private func section(_ title: String, _ items: [String]) -> [String] {
        items.isEmpty
            ? []
            : ["", "<details><summary>\(title): \(items.count)</summary>", ""] + items.map { "- \($0)" }
                + ["", "</details>"]
    }

    private func groupText(_ group: CellGroup) -> String {
        switch group.standing {
        case .leftOut: "left out"
        case .empty: "nothing ran"
        case .unfinished where group.counts.total == 0: "not run"
        case .passed, .failed, .unfinished:
            "\(group.counts.passed)/\(group.counts.executed), \(Format.duration(group.seconds))"
        }
    }

    private func icon(_ standing: Standing) -> String {
        switch standing {
        case .passed: "✅"
        case .failed: "❌"
        case .unfinished: "⏳"
        case .empty, .leftOut: "⚪"
        }
    }

    /// What means something in a table's cell is taken literally.
    private func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\n", "\r": result += " "
            case "|", "\\", "`", "*", "_", "[", "]", "<", ">", "#": result += "\\" + String(character)
            default: result.append(character)
            }
        }
        return result
    }
}
