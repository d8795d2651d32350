import BenchCore
import Foundation
import FoundationXML
import Testing

@testable import TestMatrix

/// The formats that other people's programs read. `Tests/formats` asks those programs; here is what they must find.
@Suite struct DashboardFormatTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
    }

    private func text(_ format: ReportFormat, _ report: RunReport) throws -> String {
        try ReportFiles(report, store: store, output: folder.path).text(format)
    }

    @Test func tapIsVersionFourteen() throws {
        let lines = try text(.tap, try motleyReport(store)).split(separator: "\n").map(String.init)
        #expect(lines.prefix(4) == ["TAP version 14", "1..3", "# Subtest: correctness/legacy", "    1..2"])
        #expect(lines.contains("        not ok 2 - a|b <c> & \"d\" 'e' ]]>  "))
        let failure = try #require(lines.firstIndex { $0.contains("not ok 2 - a|b") })
        #expect(
            lines[(failure + 1)...(failure + 4)] == [
                "          ---", #"          message: "expected 0, got <ENOENT> | `x`""#, "          severity: failed",
                "          ...",
            ])
        #expect(lines.contains("        ok 1 - inheritance # SKIP the filesystem behind has no ACL"))
        #expect(lines.last == "ok 3 - xfstests/legacy # SKIP not on this kernel")
        let hashes = try store.record(.some("hashes"), [.some("a#b", #"c # SKIP \d"#, .failed, message: "\"\\")])
        let escaped = try text(.tap, hashes)
        #expect(escaped.contains(##"not ok 1 - c \# SKIP \\d"##))
        #expect(escaped.contains(##"message: "\"\\""##))
    }

    @Test func whatWasNotRunIsNotOK() throws {
        let (run, _) = try store.begin(
            .some("a"), cells: [CellRecord(cell: Cell(suite: "s", target: "t"), position: 0, seed: 1)])
        let report = try RunReport(run, from: store)
        #expect(try text(.tap, report).contains("not ok 1 - s/t\n  ---\n  message: \"it was not run\"\n"))
        #expect(try text(.ktap, report).hasSuffix("# it was not run\nnot ok 1 s/t # ERROR\n"))
        #expect(try text(.kcidb, report).contains(#""status" : "MISS""#))
        #expect(try text(.github, report).hasPrefix("::error title=not run::s/t\n"))
        #expect(try text(.badge, report).contains("not finished"))
    }

    @Test func kcidbHasEachResultAndEachFinding() throws {
        struct Document: Decodable {
            struct Object: Decodable {
                let id: String
                let build_id, checkout_id, issue_id, test_id, status, path: String?
            }
            let version: [String: Int]
            let checkouts, builds, tests, issues, incidents: [Object]
        }
        let report = try motleyReport(store)
        let document = try JSONDecoder().decode(Document.self, from: Data(text(.kcidb, report).utf8))
        #expect(document.version == ["major": 5, "minor": 3])
        #expect(document.tests.compactMap(\.status) == ["PASS", "FAIL", "FAIL", "FAIL", "SKIP", "PASS", "SKIP"])
        #expect(Set(document.tests.map(\.id)).count == 7)
        #expect(document.tests[0].path == "fstestkit.correctness.legacy.rename.over_an_open_file")
        #expect(Set(document.tests.compactMap(\.build_id)) == Set(document.builds.map(\.id)))
        #expect(document.builds.compactMap(\.checkout_id) == document.checkouts.map(\.id))
        #expect(document.issues.count == 3 && document.incidents.count == 3)
        #expect(Set(document.incidents.compactMap(\.issue_id)) == Set(document.issues.map(\.id)))
        #expect(Set(document.incidents.compactMap(\.test_id)).isSubset(of: document.tests.map(\.id)))
        let other = try ReportFiles(report, store: store, output: folder.path).text(.kcidb, origin: "mylab")
        #expect(other.contains(#""id" : "mylab:kernel:6.18.0""#))
        #expect(KCIDBReport.isOrigin("my_lab2") && !KCIDBReport.isOrigin("My-Lab") && !KCIDBReport.isOrigin(""))
        let kernels = try JSONDecoder().decode(
            Document.self, from: Data(text(.kcidb, try reportOnKernels(store, "b")).utf8))
        #expect(
            kernels.builds.map(\.id) == [
                "fstestkit:kernel:6.18.0", "fstestkit:kernel:6.18.15", "fstestkit:kernel:7.3.4",
            ])
    }

    @Test func annotationsKeepToTen() throws {
        let few = try text(.github, try motleyReport(store)).split(separator: "\n")
        #expect(few.count == 4)
        #expect(few[0].hasPrefix("::error title=crashed%3A correctness/locks/of a dead process::SIGSEGV%0A1 time"))
        #expect(few[3].hasPrefix("::notice title=fstestkit::FAILED: 2 of 5"))
        let many = try store.record(
            .some("many"),
            (1...30).map { .some("area", "test, \($0)", .failed, message: String(repeating: "100 %\n", count: 200)) })
        let lines = try text(.github, many).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("::error ") }.count == 10)
        #expect(lines[9] == "::error title=and more::21 more: see the report")
        #expect(lines[0].contains("title=failed%3A correctness/area/test%2C "))
        #expect(lines[0].contains("::100 %25%0A100 %25%0A"))
        #expect(lines.allSatisfy { $0.count < 1200 })
    }

    @Test func junitKeepsToItsReadersLimits() throws {
        let long = String(repeating: "long ", count: 2000)
        let report = try store.record(
            .some("a"),
            [.some("x", "y"), .some("x", "y", .failed, message: long), .some("x", long, .skipped, message: long)])
        let junit = try text(.junit, report)
        let document = try JUnitDocument(junit)
        #expect(document.faults == [])
        #expect(document.testcases == 3)
        #expect(junit.contains(#"<testcase name="y (2)""#))
        for name in ["name", "message", "type"] {
            for match in junit.matches(of: try Regex(" \(name)=\"([^\"]*)\"", as: (Substring, Substring).self)) {
                #expect(match.output.1.count <= (name == "message" ? 500 : 255))
            }
        }
        // The whole of it is in the element.
        #expect(junit.contains(">" + long.prefix(9000)))
    }

    /// GitLab takes no document over 30 MB.
    @Test func aLargeRunHasSeveralDocuments() throws {
        let report = try store.record(
            .some("a"), (0..<60).map { .some("x", "y", $0 == 7 ? .failed : .passed, target: "t\($0 / 10)") })
        let whole = JUnitReport(report).documents
        #expect(whole == [try text(.junit, report)])
        let parts = JUnitReport(report, longestDocument: 2500).documents
        #expect(parts.count > 2 && parts.allSatisfy { $0.utf8.count < 4000 })
        let documents = try parts.map(JUnitDocument.init)
        #expect(documents.flatMap(\.faults) == [])
        #expect(documents.reduce(0) { $0 + $1.testcases } == 60 && documents.reduce(0) { $0 + $1.failures } == 1)
    }

    /// What passed is counted, and what did not is listed, a cell at a time no more than fits.
    @Test func thePageOfALargeRunCanBeShown() throws {
        let results = (0..<20_100).map {
            TestResult.some("x", "test \($0)", $0 % 2 == 0 || $0 < 100 ? .failed : .passed, message: "no")
        }
        let cell = Cell(suite: "correctness", target: "legacy")
        let record = CellRecord(cell: cell, position: 0, state: .finished, seed: 1)
        func page(_ results: [TestResult]) throws -> String {
            try text(.html, RunReport(run: .some("a"), cells: [CellReport(record: record, results: results)]))
        }
        let small = try page(Array(results.prefix(1000)))
        #expect(small.contains("test 999") && !small.contains("of this large run"))
        let large = try page(results)
        #expect(large.contains("test 99<") && !large.contains(">test 101<"))
        #expect(large.contains("10000 more tests of this large run"))
        #expect(large.contains(#"data-unlisted="10000""#))
        for link in large.matches(of: #/href="#([^"]+)"/#).map(\.output.1).uniqued() {
            #expect(large.contains("id=\"\(link)\""), "\(link)")
        }
    }

    @Test func theBadgeIsAnImageThatSaysWhatItShows() throws {
        let badge = try text(.badge, try motleyReport(store))
        #expect(XMLParser(data: Data(badge.utf8)).parse())
        #expect(badge.contains("<title>fstestkit: 3 of 5 failed</title>"))
        #expect(!badge.contains("href"))
    }
}
