import BenchCore
import Foundation

extension PageReport {
    /// Each cell, with its course over past runs and its tests by area. Failures unfold their evidence.
    var cells: String {
        let shown = report.cells.filter { !$0.results.isEmpty }
        guard !shown.isEmpty else { return "" }
        return "<section aria-labelledby=\"cells-title\"><h2 id=\"cells-title\">Cells</h2>" + shown.map(cell).joined()
            + "</section>"
    }

    private func cell(_ cell: CellReport) -> String {
        let key = cell.record.cell.key
        let style = PageReport.style(cell.standing)
        var html =
            "<details class=\"cell \(style)\" id=\"\(PageReport.anchor("cell", key))\" data-cell=\"\(Markup.escaped(key))\">"
        html +=
            "<summary><h3>\(Markup.escaped(key))</h3><span class=\"counts\">\(Markup.escaped(cell.counts.text)), "
            + "\(Words.duration(cell.record.seconds))</span></summary>"
        if !cell.record.reason.isEmpty { html += "<p class=\"reason\">\(Markup.escaped(cell.record.reason))</p>" }
        var square = cell.record.cell
        square.cycle = 1
        if let points = past.squares[square.key], points.count > 1 {
            html += "<div class=\"plots\">\(Plots.times(points))\(Plots.results(points))</div>"
        }
        html +=
            "<p class=\"how\">seed <code>\(cell.record.seed)</code> · "
            + "<code>\(Markup.escaped(command(cell.record.command)))</code>"
            + (cell.record.log.isEmpty ? "" : " · <a href=\"\(link(cell.record.log))\">log</a>") + "</p>"
        let indices = Dictionary(grouping: cell.results.indices, by: { cell.results[$0].area })
        let slowest = max(cell.results.map(\.seconds).max() ?? 0, 0.001)
        for area in cell.results.map(\.area).uniqued() {
            html +=
                "<table class=\"tests\" id=\"\(PageReport.anchor("area", key, area))\"><caption>\(Markup.escaped(area))</caption><tbody>"
            // Failures first: they are what is looked for.
            let positions = indices[area] ?? []
            let bad = positions.filter { cell.results[$0].verdict.isFailure }
            let good = positions.filter { !cell.results[$0].verdict.isFailure }
            html += (bad + good).map { test(cell, $0, slowest) }.joined() + "</tbody></table>"
        }
        return html + "</details>"
    }

    private func test(_ cell: CellReport, _ position: Int, _ slowest: Double) -> String {
        let result = cell.results[position]
        let share = Int((result.seconds / slowest * 100).rounded())
        let bar = share > 0 ? "<i style=\"width:\(share)%\"></i>" : ""
        var html =
            "<tr data-v=\"\(result.verdict.rawValue)\"\(result.verdict.isFailure ? " id=\"\(anchor(cell, position))\"" : "")>"
        html += "<td>\(chip(result.verdict))</td><td class=\"name\">"
        if result.verdict.isFailure {
            html +=
                "<details class=\"failure\"><summary>\(Markup.escaped(result.name))"
                + "<span class=\"message\">\(Markup.escaped(result.message))</span></summary>\(proof(cell, result))</details>"
        } else {
            html += Markup.escaped(result.name)
            if !result.message.isEmpty { html += "<span class=\"message\">\(Markup.escaped(result.message))</span>" }
            html += result.evidence.map {
                "<span class=\"message\"><a href=\"\(link($0))\">\(Markup.escaped($0))</a></span>"
            }.joined()
        }
        return html + "</td><td class=\"time\">\(time(result.seconds))\(bar)</td></tr>"
    }

    /// What is known of a failure: its checks, its record, how to repeat it, and the evidence itself.
    private func proof(_ cell: CellReport, _ result: TestResult) -> String {
        var html = ""
        if let checks = result.checks, !checks.isEmpty {
            html += "<table class=\"checks\"><tbody>"
            for check in checks {
                html +=
                    "<tr><td>\(chip(check.verdict))</td><td>\(Markup.escaped(check.name))</td>"
                    + "<td>\(Markup.escaped(check.message))</td></tr>"
            }
            html += "</tbody></table>"
        }
        let key = PastRuns.key(result.suite, result.target, result.area, result.name)
        if let record = past.troubles[key] {
            html += "<p class=\"record\">failed \(Markup.escaped(record.failures.text)) of the times it was executed"
            if let since = record.failsSince {
                html += ", and since <code>\(Markup.escaped(since.run))</code> each time"
            }
            html += " \(past.strips[key].map(Plots.strip) ?? "")</p>"
        }
        for name in result.evidence {
            html += "<figure class=\"evidence\"><figcaption><a href=\"\(link(name))\">\(Markup.escaped(name))</a>"
            switch evidence.content(of: name) {
            case .text(let text): html += "</figcaption><pre tabindex=\"0\">\(Markup.escaped(text))</pre>"
            case .nothing(let why): html += " \(why)</figcaption>"
            }
            html += "</figure>"
        }
        if result.evidence.isEmpty {
            html +=
                "<p class=\"record\">The suite has saved no further evidence; this is its "
                + "<a href=\"\(link(cell.record.log))\">log</a>.</p>"
        }
        return html
    }

    private func time(_ seconds: Double) -> String {
        seconds < 0.0005 ? "" : "<span>\(String(format: seconds < 10 ? "%.2f" : "%.0f", seconds)) s</span>"
    }

    private func command(_ words: [String]) -> String {
        words.map { $0.contains(" ") || $0.isEmpty ? "'\($0)'" : $0 }.joined(separator: " ")
    }

    /// The page lies in the run's folder, and so does its evidence.
    private func link(_ name: String) -> String {
        let allowed = CharacterSet.urlPathAllowed
        return Markup.escaped(name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name)
    }
}
