import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct FindingTests {
    private static func stopPath(_ scenario: String, _ checks: [String: String]) -> TestResult {
        var result = TestResult.some(scenario, "cycle-1", checks.isEmpty ? .passed : .failed, suite: "stop-path")
        result.checks = checks.sorted { $0.key < $1.key }.map { name, message in
            TestResult.Check(name: name, title: "oracle \(name)", verdict: .failed, message: message)
        }
        return result
    }

    private func report(_ results: [TestResult], accept: [Acceptance] = []) throws -> RunReport {
        let folder = try TemporaryFolder()
        let report = try folder.store().record(.some("r"), results)
        return RunReport(run: report.run, cells: report.cells, acceptances: accept)
    }

    @Test func numbersAndPathsMakeNoDifference() {
        func text(_ message: String) -> String { MessageClass(message).text }
        #expect(text("the daemon (pid 12) ended with 1") == text("the daemon (pid 999) ended with 17"))
        #expect(text("open: expected success, got EIO (/tmp/a/b)") == text("open: expected success, got EIO (/tmp/c)"))
        #expect(text("size: expected 3, got 4; and more") == text("size: expected 3, got 4"))
        #expect(text("open: expected success, got EIO (f)") != text("open: expected success, got EPERM (f)"))
    }

    @Test func oneDefectIsOneFinding() throws {
        let scenarios = (1...13).map {
            FindingTests.stopPath("s\($0)", ["X": "the daemon ended with exit status \($0)"])
        }
        let report = try report(scenarios + [FindingTests.stopPath("s14", ["M": "still mounted", "X": "another"])])
        #expect(report.findings.count == 3)
        #expect(report.findings[0].places.count == 13 && report.findings[0].tests.count == 13)
        #expect(report.findings[0].name.description == "stop-path/X oracle X: the daemon ended with exit status N")
        let text = TextReport(report).text()
        #expect(text.components(separatedBy: "the daemon ended with exit status").count - 1 <= 2)
        #expect(text.contains("13 times, in 13 tests of 1 cell"))
    }

    /// Which of many violations comes first is chance.
    @Test(arguments: [("hostile-source", "secrets"), ("correctness", "random"), ("correctness", "integrity")])
    func whatIsRandomIsNamedByItsCheck(_ suite: String, _ area: String) throws {
        let names = ["alice: reading a gave it away", "carol: the attributes of b"].map { message in
            FindingName.all(of: .some(area, "stays-unread", .failed, suite: suite, message: message)).map(\.name)
        }
        #expect(names[0] == names[1] && names[0].map(\.description) == ["\(suite)/\(area)/stays-unread"])
    }

    @Test func whatIsAcceptedTurnsNothingRed() throws {
        let bad = TestResult.some("links", "count", .failed, message: "links: expected 2, got 1 (f)")
        let acceptance = Acceptance(
            finding: "correctness/links/count: links: expected N, got N (f)", reason: "paths", until: "2100-01-01")
        let accepted = try report([bad, .some("a", "x")], accept: [acceptance])
        #expect(accepted.standing == .passed)
        #expect(accepted.cells[0].results[0].verdict == .skipped)
        #expect(accepted.cells[0].results[0].message.hasPrefix("accepted (paths, until 2100-01-01): links"))
        #expect(accepted.findings.map(\.acceptance) == [acceptance])
        #expect(TextReport(accepted).text().contains("accepted:"))
        // Its check alone covers whatever that says.
        var wide = acceptance
        wide.finding = "correctness/links/count"
        #expect(try report([bad], accept: [wide]).counts.failures == 0)
    }

    @Test func acceptanceHasItsLimits() throws {
        let bad = TestResult.some("links", "count", .failed, message: "links: expected 2, got 1")
        let name = "correctness/links/count"
        let over = Acceptance(finding: name, reason: "r", until: "2020-01-01")
        #expect(try report([bad], accept: [over]).standing == .failed)
        #expect(try report([bad], accept: [over]).unseenAcceptances == [over])
        let other = Acceptance(finding: name, target: "bindfs", reason: "r")
        #expect(try report([bad], accept: [other]).standing == .failed)
        let otherWords = Acceptance(finding: name + ": something else", reason: "r")
        #expect(try report([bad], accept: [otherWords]).standing == .failed)
        // Something new in the same test is not covered.
        let two = FindingTests.stopPath("s", ["M": "still mounted", "X": "ended badly"])
        let exit = Acceptance(finding: "stop-path/X oracle X", reason: "r")
        #expect(try report([two], accept: [exit]).standing == .failed)
    }

    @Test func aSecondDefectIsARegression() throws {
        let folder = try TemporaryFolder()
        let store = try folder.store()
        let old = try store.record(.some("old"), [FindingTests.stopPath("s", ["X": "ended badly"])])
        let same = try store.record(.some("same", day: 1), [FindingTests.stopPath("s", ["X": "ended otherwise"])])
        let new = try store.record(.some("new", day: 2), [FindingTests.stopPath("s", ["X": "ended badly", "M": "m"])])
        #expect(!Comparison(from: old, to: same).hasRegression)
        let comparison = Comparison(from: old, to: new)
        #expect(comparison.regressions.map(\.findings) == [["M oracle M"]])
        #expect(ComparisonReport(comparison).text.contains("new: M oracle M"))
    }

    @Test func theFileAccepts() throws {
        let layer = try ConfigurationFile.parse(
            """
            accept:
              - finding: correctness/links/count
                target: legacy
                reason: two names are two inodes
                until: 2027-03-31
            """, path: "f")
        #expect(layer.accept?.first?.until == "2027-03-31")
        #expect(throws: ConfigurationFile.ParseError.self) {
            try ConfigurationFile.parse("accept:\n  - finding: x\n", path: "f")
        }
        #expect(throws: ConfigurationFile.ParseError.self) {
            try ConfigurationFile.parse("accept: [{finding: x, reason: r, until: soon}]", path: "f")
        }
    }
}
