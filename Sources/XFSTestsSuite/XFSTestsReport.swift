public import BenchCore
import FoundationEssentials
public import SystemPackage

/// The text, JSON and JUnit XML of a run, from its journal: a run that goes on can be reported, too.
public struct XFSTestsReport: Sendable {
    public let plan: XFSTestsPlan
    public let summaries: [XFSTestsSummary]
    public let comparisons: [String: XFSTestsComparison]
    private let records: [XFSTestsRecord]

    /// - Parameter factor: see ``XFSTestsComparison``.
    public init(_ journal: XFSTestsJournal, factor: Double = 3) {
        plan = journal.plan
        records = journal.records
        summaries = plan.sections.map { XFSTestsSummary(section: $0, records: journal.records) }
        var comparisons: [String: XFSTestsComparison] = [:]
        for summary in summaries {
            let baseline = plan.baselines[summary.section].flatMap(contents(of:)).flatMap { try? XFSTestsBaseline($0) }
            comparisons[summary.section] = XFSTestsComparison(summary, baseline: baseline, factor: factor)
        }
        self.comparisons = comparisons
    }

    public var isAsExpected: Bool { comparisons.values.allSatisfy(\.isAsExpected) }

    public var text: String {
        var lines = ["xfstests on Linux \(plan.kernel), backing filesystem \(plan.backing), \(plan.tests.count) tests"]
        for summary in summaries { lines += section(summary) }
        let differences = differences()
        if summaries.count > 1 {
            lines += ["", "Sections that differ: \(differences.isEmpty ? "none" : "\(differences.count) tests")"]
            lines += differences.map { "  \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ summary: XFSTestsSummary) -> [String] {
        func count(_ outcome: XFSTestsOutcome) -> String { "\(summary.count(outcome)) \(outcome.rawValue)" }
        let comparison = comparisons[summary.section]!
        let target = plan.target(summary.section)
        var lines = [
            "",
            "\(target): \(summary.executed) executed of \(summary.tests.count) (\(count(.pass)), \(count(.fail)),"
                + " \(count(.hung)), \(count(.crashed)), \(count(.flaky))); not executed: \(count(.notrun)),"
                + " \(count(.excluded)); \(Int(summary.seconds)) s",
        ]
        func list(_ title: String, _ differences: [XFSTestsComparison.Difference]) {
            if differences.isEmpty { return }
            lines.append("  \(title):")
            for difference in differences {
                var line = "    \(difference.test.name) \(difference.test.outcome.rawValue)"
                if let expected = difference.expected, expected.outcome != difference.test.outcome {
                    line += " (expected \(expected.outcome.rawValue))"
                }
                if !difference.test.reason.isEmpty { line += ": \(difference.test.reason)" }
                lines.append(line)
            }
        }
        list(plan.baselines[summary.section] == nil ? "failures" : "new failures", comparison.newFailures)
        list("expected failures", comparison.expectedFailures)
        list("fixed", comparison.fixed)
        list("newly not run", comparison.newlyNotRun)
        if !comparison.slower.isEmpty {
            lines.append("  slower:")
            lines += comparison.slower.map {
                "    \($0.test.name): \(Int($0.test.seconds)) s, before \($0.expected?.seconds ?? 0) s"
            }
        }
        if !summary.reasons.isEmpty {
            lines.append("  not run, by reason:")
            lines += summary.reasons.map { reason, tests in
                "    \(tests.count)  \(reason)" + (tests.count <= 3 ? " (\(tests.joined(separator: " ")))" : "")
            }
        }
        let excluded = summary.tests.filter { $0.outcome == .excluded }
        if !excluded.isEmpty {
            lines.append("  excluded:")
            lines += excluded.map { "    \($0.name): \($0.reason)" }
        }
        return lines
    }

    /// Tests whose result is not the same in all sections.
    func differences() -> [String] {
        var byTest: [String: [String: XFSTestsSummary.Test]] = [:]
        for summary in summaries {
            for test in summary.tests { byTest[test.name, default: [:]][summary.section] = test }
        }
        return byTest.keys.sorted(by: XFSTestsBaseline.precedes).compactMap { name in
            let results = byTest[name]!
            guard results.count > 1, Set(results.values.map(\.outcome)).count > 1 else { return nil }
            let cells = plan.sections.compactMap { section in
                results[section].map { "\(plan.target(section)) \($0.outcome.rawValue)" }
            }
            let reason = results.values.first { $0.outcome.isFailure || $0.outcome == .notrun }?.reason ?? ""
            return "\(name): \(cells.joined(separator: ", "))\(reason.isEmpty ? "" : ": \(reason)")"
        }
    }

    /// The results in the form that all suites share.
    public var results: [TestResult] {
        summaries.flatMap { summary in
            let expected = Set((comparisons[summary.section]?.expectedFailures ?? []).map(\.test.name))
            return summary.tests.map { test in
                XFSTestsReport.result(
                    test, target: plan.target(summary.section),
                    expected: expected.contains(test.name) ? test.outcome : nil)
            }
        }
    }

    /// A failure that the baseline expects is no failure of the run: it counts as a skip with its reason.
    public static func result(
        _ test: XFSTestsSummary.Test, target: String, expected: XFSTestsOutcome?
    ) -> TestResult {
        let isKnown = test.outcome.isFailure && expected == test.outcome
        return TestResult(
            suite: "xfstests", target: target, area: String(test.name.prefix { $0 != "/" }), name: test.name,
            verdict: isKnown ? .skipped : test.outcome.verdict, seconds: test.seconds,
            message: isKnown ? "known failure: \(test.reason)" : test.reason, evidence: test.evidence)
    }

    /// Writes `report.txt`, `results.json` and `junit.xml`.
    public func save(to output: FilePath) {
        let folder = Evidence(root: output, folder: ".")
        folder.save("report.txt", text)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        if let data = try? encoder.encode(json) {
            folder.save("results.json", String(decoding: data, as: UTF8.self) + "\n")
        }
        folder.save("junit.xml", junit)
    }

    private struct Document: Encodable {
        struct Section: Encodable {
            let section: String
            let executed: Int
            let counts: [String: Int]
            let newFailures: [String]
            let fixed: [String]
            let newlyNotRun: [String]
            let slower: [String]
        }

        let kernel: String
        let backing: String
        let isAsExpected: Bool
        let sections: [Section]
        let records: [XFSTestsRecord]
    }

    private var json: Document {
        Document(
            kernel: plan.kernel, backing: plan.backing.description, isAsExpected: isAsExpected,
            sections: summaries.map { summary in
                let comparison = comparisons[summary.section]!
                return Document.Section(
                    section: summary.section, executed: summary.executed,
                    counts: Dictionary(
                        uniqueKeysWithValues: XFSTestsOutcome.allCases.map { ($0.rawValue, summary.count($0)) }),
                    newFailures: comparison.newFailures.map(\.test.name), fixed: comparison.fixed.map(\.test.name),
                    newlyNotRun: comparison.newlyNotRun.map(\.test.name), slower: comparison.slower.map(\.test.name))
            }, records: records)
    }

    var junit: String {
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites>"]
        for summary in summaries {
            let failures = summary.tests.count { $0.outcome.isFailure }
            lines.append(
                "  <testsuite name=\"xfstests.\(plan.target(summary.section))\" tests=\"\(summary.tests.count)\""
                    + " failures=\"\(failures)\" skipped=\"\(summary.tests.count - summary.executed)\""
                    + " time=\"\(summary.seconds)\">")
            for test in summary.tests {
                let head = "    <testcase classname=\"xfstests.\(plan.target(summary.section))\" name=\"\(test.name)\""
                let reason = XFSTestsReport.escape(test.reason)
                let body =
                    test.outcome.isFailure
                    ? "<failure type=\"\(test.outcome.rawValue)\" message=\"\(reason)\"/>"
                    : test.outcome.isExecuted ? "" : "<skipped message=\"\(reason)\"/>"
                lines.append("\(head) time=\"\(test.seconds)\">\(body)</testcase>")
            }
            lines.append("  </testsuite>")
        }
        return lines.joined(separator: "\n") + "\n</testsuites>\n"
    }

    /// XML has no place for control characters.
    static func escape(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case _ where scalar.value < 32: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
