import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct ReportTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let report: RunReport

    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
        report = try motleyReport(store)
    }

    private func text(_ format: ReportFormat) throws -> String {
        try ReportFiles(report, store: store, output: folder.path).text(format)
    }

    @Test func theCountsAreRight() {
        let counts = report.counts
        let each: [Int] = Verdict.allCases.map { counts[$0] }
        #expect(each == [2, 1, 1, 1, 1])
        #expect(counts.executed == 5)
        #expect(report.standing == .failed)
        #expect(report.group("correctness", "uring-single")?.standing == .failed)
        #expect(report.group("xfstests", "legacy")?.standing == .leftOut)
    }

    @Test func theTextFitsItsWidth() throws {
        let text = TextReport(report).text(width: 80)
        #expect(text.contains("FAILED: 2 of 5 executed tests passed (1 failed, 1 hung, 1 crashed), 1 skipped"))
        #expect(text.contains("xfstests/legacy: not on this kernel"))
    }

    @Test func markdownTablesStayWhole() throws {
        let lines = try text(.markdown).split(separator: "\n")
        let rows = lines.filter { $0.hasPrefix("|") }
        // The matrix has a column for each target and one for the suite, the failures have four.
        for row in rows {
            let bars = row.replacing("\\|", with: "").filter { $0 == "|" }.count
            #expect(bars == (row.contains("finding") || row.contains(" time, ") || row == "|---|---|---|---|" ? 5 : 4))
        }
        #expect(rows.count == 4 + 5)
    }

    @Test func jsonIsWhole() throws {
        struct Document: Decodable {
            struct Counts: Decodable { let total, executed, passed, failed, skipped, hung, crashed: Int }
            struct Cell: Decodable { let results: [TestResult] }
            let counts: Counts
            let cells: [Cell]
            let standing: String
        }
        let document = try JSONDecoder().decode(Document.self, from: Data(text(.json).utf8))
        #expect(document.counts.total == 6)
        #expect(document.counts.executed == 5)
        #expect(document.cells.flatMap(\.results) == report.cells.flatMap(\.results))
        #expect(document.standing == "failed")
    }

    /// Counted in each format from what stands there, and compared.
    @Test func everyFormatHasTheSameNumbers() throws {
        let junit = try JUnitDocument(text(.junit))
        #expect(junit.faults == [])
        #expect(junit.testcases == 6)
        #expect(junit.failures == 1 && junit.errors == 2 && junit.skipped == 1)
        let page = try text(.html)
        for (verdict, count) in [("passed", 2), ("failed", 1), ("skipped", 1), ("hung", 1), ("crashed", 1)] {
            #expect(page.components(separatedBy: "<tr data-v=\"\(verdict)\"").count - 1 == count)
            #expect(page.contains("<dt>\(verdict)</dt><dd>\(count)</dd>"))
        }
        #expect(page.contains("<dt>executed</dt><dd>5</dd>"))
        for format in [ReportFormat.markdown, .text] {
            let text = try text(format)
            #expect(text.contains(TextReport.summary(report)))
        }
    }

    @Test func nothingInAPageIsTakenForMarkup() throws {
        let page = try text(.html)
        #expect(!page.contains("<c>"))
        #expect(!page.contains("<ENOENT>"))
        #expect(page.contains("&lt;ENOENT&gt;"))
        // Nothing is fetched: every reference leads into the page or to a file beside it.
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("src="))
    }

    @Test func whatIsInterpolatedIsText() {
        let hostile = #"<b a="1" b='2'>&\#u{1}"#
        let safe = "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;\u{FFFD}"
        let item: Markup = #"<i\#(attributes: ["title": hostile, "id": nil])>\#(hostile)</i>"#
        #expect(item.text == #"<i title="\#(safe)">\#(safe)</i>"#)
        let items: Markup = "<p>\([item, item]) \(3)</p>"
        #expect(items.text == "<p>\(item.text)\(item.text) 3</p>")
    }

    @Test func evidenceIsUnfoldedAndBounded() throws {
        try folder.write(
            "runs/r/long", "BEGIN" + String(repeating: "x", count: 100_000) + "END <b>\u{1b}[31mred\u{1b}[0m")
        try folder.write("runs/r/binary", "a\0b")
        let files = EvidenceFiles(folder: folder.path + "/runs/r")
        guard case .text(let text) = files.content(of: "long") else {
            Issue.record("no text")
            return
        }
        #expect(text.hasPrefix("BEGIN"))
        #expect(text.hasSuffix("END <b>red"))
        #expect(text.utf8.count < 13_000)
        #expect(files.content(of: "binary") == .nothing("is no text"))
        #expect(files.content(of: "missing") == .nothing("is not there"))
        let poor = EvidenceFiles(folder: folder.path + "/runs/r", budget: 100)
        #expect(poor.content(of: "long") == .nothing("is in the run's folder; this page is full"))
    }

    @Test func allFilesAreWritten() throws {
        try folder.write("\(report.run.folder)/x", "")
        let files = try ReportFiles(report, store: store, output: folder.path).write()
        for name in [
            "report.txt", "report.md", "report.json", "junit.xml", "report.tap", "report.ktap", "badge.svg",
            "report.html",
        ] {
            #expect(FileManager.default.fileExists(atPath: files.folder + "/" + name))
        }
    }

    /// Documentation/dev-tools/ktap.rst: version and plan first, each level two blanks further in, results numbered from 1.
    @Test func ktapIsAsTheKernelHasIt() throws {
        let lines = try text(.ktap).split(separator: "\n").map(String.init)
        #expect(lines.prefix(2) == ["KTAP version 1", "1..3"])
        #expect(lines.suffix(1) == ["ok 3 xfstests/legacy # SKIP not on this kernel"])
        func results(_ depth: Int) -> [String] {
            let blanks = String(repeating: "  ", count: depth)
            return lines.filter { $0.hasPrefix(blanks + "ok ") || $0.hasPrefix(blanks + "not ok ") }.map {
                String($0.dropFirst(blanks.count))
            }
        }
        #expect(results(0).prefix(2) == ["not ok 1 correctness/legacy", "not ok 2 correctness/uring-single"])
        #expect(
            results(1) == ["not ok 1 rename", "not ok 2 locks", "not ok 1 locks", "ok 2 acl # SKIP", "ok 3 names"])
        #expect(results(2).count == 6)
        #expect(results(2)[0] == "ok 1 over an open file")
        #expect(results(2)[2] == "not ok 1 between processes # TIMEOUT")
        #expect(results(2)[3] == "not ok 1 of a dead process # ERROR")
        #expect(results(2)[4] == "ok 1 inheritance # SKIP the filesystem behind has no ACL")
        #expect(lines.contains("    # expected 0, got <ENOENT> | `x`"))
    }

    @Test func kernelsAreColumnsInEveryFormat() throws {
        let report = try reportOnKernels(store)
        let files = ReportFiles(report, store: store, output: folder.path)
        let text = try files.text(.text)
        #expect(text.contains("7.3: Linux 7.3.4, 2 CPUs, 1536 MiB, QEMU 10.0.2 (tcg)"))
        #expect(text.contains("CRASHED stop-path/kill"))
        #expect(text.contains("cells: stop-path/7.3/legacy"))
        #expect(try files.text(.markdown).contains("| suite | legacy | 6.18/legacy | 7.3/legacy |"))
        let page = try files.text(.html)
        #expect(page.contains(#"<th scope="colgroup" class="kernel" colspan="1">host</th>"#))
        #expect(page.contains(#"colspan="1">7.3</th></tr><tr><th scope="col">legacy</th>"#))
        #expect(page.contains("machine 6.18"))
        let junit = try files.text(.junit)
        #expect(junit.contains(#"classname="stop-path.7_3.legacy.kill""#))
        #expect(junit.contains(#"<property name="kernel" value="7.3.4"/>"#))
        #expect(try files.text(.json).contains(#""emulator" : "QEMU 10.0.2""#))
        #expect(try files.text(.ktap).contains("  # kernel 7.3.4\n"))
        // Without guests there is one row of headings.
        #expect(!(try self.text(.html)).contains("colgroup"))
    }
}
