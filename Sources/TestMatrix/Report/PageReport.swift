import BenchCore
import Foundation

/// A run as one HTML page that needs nothing else: no network, no other file. It reads without JavaScript too; that adds the
/// filter, the keys and the switch of colours.
struct PageReport {
    let report: RunReport
    let past: PastRuns
    let evidence: EvidenceFiles
    /// How many tests of a cell are listed; nil for all of them. In a large run, whose page no browser could show, only such as did not
    /// pass.
    let mostListed: Int?
    private static let mostTests = 20_000

    init(_ report: RunReport, past: PastRuns, evidence: EvidenceFiles) {
        self.report = report
        self.past = past
        self.evidence = evidence
        let cells = max(1, report.cells.count { !$0.results.isEmpty })
        mostListed = report.counts.total > PageReport.mostTests ? max(20, PageReport.mostTests / cells) : nil
    }

    /// The positions of the tests that a cell's tables have.
    func listed(_ cell: CellReport) -> Set<Int> {
        guard let mostListed else { return Set(cell.results.indices) }
        let bad = cell.results.indices.filter { cell.results[$0].verdict.isFailure }
        let skipped = cell.results.indices.filter { cell.results[$0].verdict == .skipped }
        return Set((bad + skipped).prefix(mostListed))
    }

    var text: String {
        let title = "\(TextReport.verdictWord(report.standing)) · fstestkit \(report.run.id)"
        let body: Markup = """
            <a class="skip" href="#matrix">To the matrix</a>
            \(header)
            <main>
            \(matrix)
            \(findings)
            \(filter)
            \(cells)
            \(history)
            \(leftOut)
            \(conditions)
            </main>
            <footer>Made by fstestkit \(report.run.tool). Keys: <kbd>/</kbd> filter, <kbd>f</kbd> failures \
            only, <kbd>j</kbd> and <kbd>k</kbd> next and previous failure, <kbd>Esc</kbd> all again.</footer>
            <script>\(resource: PackageResources.report_js)</script>
            """
        return Markup.page(title, runsScripts: true, body).text
    }

    private var header: Markup {
        let counts = report.counts
        var tiles = [tile("executed", "\(counts.executed)", ""), tile("passed", "\(counts.passed)", "passed")]
        for verdict in [Verdict.failed, .hung, .crashed] where counts[verdict] > 0 || verdict == .failed {
            tiles.append(tile(verdict.rawValue, "\(counts[verdict])", counts[verdict] > 0 ? "failed" : ""))
        }
        tiles += [tile("skipped", "\(counts.skipped)", ""), tile("time", Format.duration(report.seconds), "")]
        let shard = report.run.shard.map { " · shard \($0)" } ?? ""
        return """
            <header>
            <div class="title"><h1>fstestkit</h1><span class="badge \(PageReport.style(report.standing))">\
            \(TextReport.verdictWord(report.standing).lowercased())</span>
            <button id="theme" type="button" hidden>dark or light</button></div>
            <p>Linux \(report.run.kernel) on \(report.run.machine.name) · \
            \(Format.moment(report.run.started)) · run <code>\(report.run.id)</code>\(shard)</p>
            <dl class="tiles">\(tiles)</dl>
            </header>
            """
    }

    private func tile(_ name: String, _ value: String, _ style: String) -> Markup {
        #"<div class="tile \#(style)"><dt>\#(name)</dt><dd>\#(value)</dd></div>"#
    }

    static func style(_ standing: Standing) -> String {
        switch standing {
        case .passed: "passed"
        case .failed: "failed"
        case .unfinished: "unfinished"
        case .empty, .leftOut: "skipped"
        }
    }

    /// What a verdict looks like besides its colour.
    static func sign(_ verdict: Verdict) -> String {
        switch verdict {
        case .passed: "✓"
        case .failed: "✗"
        case .skipped: "–"
        case .hung: "⧖"
        case .crashed: "⚡"
        }
    }

    /// An id that a link can name.
    static func anchor(_ parts: String...) -> String {
        parts.joined(separator: "-").map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? String($0) : "_" }
            .joined()
    }
}
