import BenchCore
import Foundation
import XFSTestsSuite

/// What a run says while it goes, for people on standard error, for programs on standard output.
final class XFSTestsProgress {
    private let json: Bool
    private let plan: XFSTestsPlan
    /// Results that were said already.
    private var said: Set<TestResult> = []

    init(json: Bool, plan: XFSTestsPlan) {
        self.json = json
        self.plan = plan
    }

    func begin(output: String) {
        printError("results: \(output)")
        if let seed = plan.shuffleSeed { printError("order drawn with --shuffle --seed \(seed)") }
        if json { SuiteEvent.planned(count: plan.tests.count * plan.sections.count).emit() }
    }

    func show(_ event: XFSTestsRun.Event) {
        switch event {
        case .resumed(let done): printError("going on: \(done) results are there")
        case .sectionBegan(let cycle, let section, let tests):
            printError("cycle \(cycle), \(plan.target(section)): \(tests) tests")
        case .repeating(let section, let tests, let attempt):
            printError("\(plan.target(section)): \(tests) failed tests again, time \(attempt)")
        case .testBegan(let key):
            if json { SuiteEvent.started(area: area(key.name), name: key.name).emit() }
        case .testEnded(let record, let expected):
            var line = "\(clock()) \(plan.target(record.key.section)) \(record.key.name) \(record.outcome.rawValue)"
            if record.outcome.isExecuted { line += " \(record.seconds)s" }
            if record.outcome.isFailure && expected?.isFailure == true { line += " (expected)" }
            if !record.reason.isEmpty { line += ": \(record.reason)" }
            printError(line)
            if json { show(record, expected) }
        }
    }

    /// A first result is final, unless it is a failure that will be looked into by running the test again.
    private func show(_ record: XFSTestsRecord, _ expected: XFSTestsOutcome?) {
        let isFinal = !record.outcome.isFailure || expected == record.outcome || plan.reruns == 0
        guard record.key.cycle == 1, record.key.attempt == 0, isFinal else { return }
        let summary = XFSTestsSummary(section: record.key.section, records: [record])
        for test in summary.tests {
            let result = XFSTestsReport.result(test, target: plan.target(record.key.section), expected: expected)
            said.insert(result)
            SuiteEvent.finished(result).emit()
        }
    }

    /// What was not said yet, and what has become of it since: a test that failed once in three times is one result.
    func end(_ report: XFSTestsReport) {
        if json {
            for result in report.results where !said.contains(result) { SuiteEvent.finished(result).emit() }
            // As many as the run came to: it may have been told to stop at a failure.
            SuiteEvent.planned(count: report.results.count).emit()
            printError(report.text)
        } else {
            print(report.text, terminator: "")
        }
    }

    private func area(_ name: String) -> String { String(name.prefix { $0 != "/" }) }

    private func clock() -> String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        return String(format: "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec)
    }
}
