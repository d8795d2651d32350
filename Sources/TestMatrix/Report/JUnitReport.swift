import BenchCore
import Foundation

/// A run as JUnit XML, in the dialect of Jenkins' xUnit plug-in, which the common CI systems read.
///
/// A cell is a test suite. `failed` becomes a failure, `hung` and `crashed` become errors, and a cell without results is left out,
/// since a suite of no tests reads as a passed one; it is named among the properties.
///
/// Readers have limits. GitLab keeps 255 characters of a name and takes two tests of one class and name for one, so a test that came
/// several times has a number; what is a line for people ends after 500 characters, and the whole text is in the element. It reads no
/// document over 30 MB, so that a large run has several, with whole cells in each.
public struct JUnitReport {
    private let report: RunReport
    private static let longestName = 255
    private static let longestMessage = 500
    private static let longestDetails = 16 << 10
    private let longestDocument: Int

    /// - Parameter longestDocument: in bytes, of each of ``documents`` with more than one cell.
    init(_ report: RunReport, longestDocument: Int = 25_000_000) {
        self.report = report
        self.longestDocument = longestDocument
    }

    /// The run as one document, however long.
    public var text: String { document(suites.map(\.self)) }

    /// The run as documents that every reader takes.
    public var documents: [String] {
        var documents: [String] = []
        var part: [(cell: CellReport, text: String)] = []
        var size = 0
        for suite in suites {
            if !part.isEmpty && size + suite.text.utf8.count > longestDocument {
                documents.append(document(part))
                part = []
                size = 0
            }
            part.append(suite)
            size += suite.text.utf8.count
        }
        return documents + [document(part)]
    }

    private var suites: some Sequence<(cell: CellReport, text: String)> {
        report.cells.lazy.filter { !$0.results.isEmpty }.map { cell in
            (cell, suite(cell).map { $0.text + "\n" }.joined())
        }
    }

    private func document(_ suites: [(cell: CellReport, text: String)]) -> String {
        let counts = suites.reduce(into: Counts()) { $0 += $1.cell.counts }
        let seconds = suites.reduce(0) { $0 + $1.cell.record.seconds }
        let attributes: KeyValuePairs<StaticString, String?> = [
            "name": "fstestkit \(report.run.id)", "time": time(seconds), "tests": "\(counts.total)",
            "failures": "\(counts.failed)", "errors": "\(counts.hung + counts.crashed)",
        ]
        let opening: Markup = #"<?xml version="1.0" encoding="UTF-8"?>\#n<testsuites\#(attributes: attributes)>\#n"#
        return opening.text + suites.map(\.text).joined() + "</testsuites>\n"
    }

    private func suite(_ cell: CellReport) -> [Markup] {
        let counts = cell.counts
        let attributes: KeyValuePairs<StaticString, String?> = [
            "name": cell.record.cell.key, "tests": "\(counts.total)", "failures": "\(counts.failed)",
            "errors": "\(counts.hung + counts.crashed)", "skipped": "\(counts.skipped)",
            "time": time(cell.record.seconds), "timestamp": cell.record.started.map(Format.timestamp),
            "hostname": report.run.machine.name,
        ]
        var lines: [Markup] = ["<testsuite\(attributes: attributes)>", "<properties>"]
        var properties = [
            ("kernel", cell.record.machine?.kernel ?? report.run.kernel), ("tool", report.run.tool),
            ("seed", "\(cell.record.seed)"),
            ("command", cell.record.command.joined(separator: " ")), ("state", cell.record.state.rawValue),
        ]
        properties += (report.leftOut + report.unfinished).map { ("not run: \($0.record.cell.key)", $0.record.reason) }
        for (name, value) in properties { lines.append("<property\(attributes: ["name": name, "value": value])/>") }
        lines.append("</properties>")
        var times: [String: Int] = [:]
        for result in cell.results {
            let number = times[result.path, default: 0] + 1
            times[result.path] = number
            lines += test(result, in: cell, number)
        }
        lines.append("</testsuite>")
        return lines
    }

    /// - Parameter number: which time it is that the cell has this test.
    private func test(_ result: TestResult, in cell: CellReport, _ number: Int) -> [Markup] {
        let place = cell.record.cell
        let times = number > 1 ? " (\(number))" : ""
        let opening: KeyValuePairs<StaticString, String?> = [
            "name": cut(result.name, JUnitReport.longestName - times.count) + times,
            // A dot would begin another package.
            "classname": "\(place.suite)." + (place.kernel.map { $0.replacing(".", with: "_") + "." } ?? "")
                + place.columnOfKernel.replacing("/", with: ".")
                + (place.cycle > 1 ? ".cycle-\(place.cycle)" : "") + ".\(result.area)",
            "time": time(result.seconds),
        ]
        if result.verdict == .passed && result.evidence.isEmpty {
            return ["<testcase\(attributes: opening)/>"]
        }
        var lines: [Markup] = ["<testcase\(attributes: opening)>"]
        switch result.verdict {
        case .passed: break
        case .skipped:
            lines.append("<skipped\(attributes: ["message": cut(result.message, JUnitReport.longestMessage)])/>")
        case .failed, .hung, .crashed:
            // CI systems group by the type: one finding, however many tests show it.
            let attributes: KeyValuePairs<StaticString, String?> = [
                "type": cut(
                    FindingName.all(of: result).map { "\($0.name)" }.joined(separator: "; "), JUnitReport.longestName),
                "message": cut(result.message, JUnitReport.longestMessage),
            ]
            lines.append(
                result.verdict == .failed
                    ? "<failure\(attributes: attributes)>\(details(result))</failure>"
                    : "<error\(attributes: attributes)>\(details(result))</error>")
        }
        if !result.evidence.isEmpty {
            lines.append("<system-out>\(result.evidence.joined(separator: "\n"))</system-out>")
        }
        lines.append("</testcase>")
        return lines
    }

    private func details(_ result: TestResult) -> String {
        let checks = (result.checks ?? []).filter(\.verdict.isFailure).map { "\($0.label): \($0.message)" }
        return cut(([result.message] + checks).joined(separator: "\n"), JUnitReport.longestDetails)
    }

    private func cut(_ text: String, _ limit: Int) -> String {
        text.count <= limit ? text : text.prefix(limit - 1) + "…"
    }

    /// Seconds with three decimals; never `inf`, and no exponent.
    private func time(_ seconds: Double) -> String { String(format: "%.3f", max(0, seconds)) }
}
