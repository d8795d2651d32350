import BenchCore
import Foundation

extension PageReport {
    /// Each cell, with its course over past runs and its tests by area. Failures unfold their evidence.
    var cells: Markup {
        let shown = report.cells.filter { !$0.results.isEmpty }
        guard !shown.isEmpty else { return "" }
        return #"<section aria-labelledby="cells-title"><h2 id="cells-title">Cells</h2>\#(shown.map(cell))</section>"#
    }

    private func cell(_ cell: CellReport) -> Markup {
        let key = cell.record.cell.key
        let style = PageReport.style(cell.standing)
        var html: Markup = """
            <details class="cell \(style)" id="\(PageReport.anchor("cell", key))" data-cell="\(key)">\
            <summary><h3>\(key)</h3><span class="counts">\(cell.counts.text), \
            \(Format.duration(cell.record.seconds))</span></summary>
            """
        if !cell.record.reason.isEmpty { html += #"<p class="reason">\#(cell.record.reason)</p>"# }
        var group = cell.record.cell
        group.cycle = 1
        if let points = past.groups[group.key], points.count > 1 {
            html += #"<div class="plots">\#(Plots.times(points))\#(Plots.results(points))</div>"#
        }
        let log: Markup = cell.record.log.isEmpty ? "" : #" · <a href="\#(link(cell.record.log))">log</a>"#
        if let machine = cell.record.machine {
            html += #"<p class="how">\#(machine.text) · <code>\#(machine.commandLine)</code></p>"#
        }
        html += """
            <p class="how">seed <code>\(cell.record.seed)</code> · <code>\(command(cell.record.command))</code>\(log)</p>
            """
        let listed = listed(cell)
        let indices = Dictionary(grouping: cell.results.indices.filter(listed.contains), by: { cell.results[$0].area })
        let slowest = max(cell.results.map(\.seconds).max() ?? 0, 0.001)
        for area in cell.results.map(\.area).uniqued() where indices[area] != nil {
            html += """
                <table class="tests" id="\(PageReport.anchor("area", key, area))"><caption>\(area)</caption><tbody>
                """
            // Failures first: they are what is looked for.
            let positions = indices[area] ?? []
            let bad = positions.filter { cell.results[$0].verdict.isFailure }
            let good = positions.filter { !cell.results[$0].verdict.isFailure }
            html += "\((bad + good).map { test(cell, $0, slowest) })</tbody></table>"
        }
        let rest = cell.results.count - listed.count
        if rest > 0 {
            let failed = cell.counts.failures - listed.count { cell.results[$0].verdict.isFailure }
            let words = failed > 0 ? ", of which \(failed) failed," : ""
            html += """
                <p class="reason">\(Format.count(rest, "more test"))\(words) of this large run: report.json has them.</p>
                """
        }
        return html + "</details>"
    }

    private func test(_ cell: CellReport, _ position: Int, _ slowest: Double) -> Markup {
        let result = cell.results[position]
        let share = Int(min(max(result.seconds / slowest, 0), 1) * 100)
        let bar: Markup = share > 0 ? #"<i style="width:\#(share)%"></i>"# : ""
        let isNamed = result.verdict.isFailure || result.message.hasPrefix("accepted (")
        let id = isNamed ? anchor(cell, position) : nil
        var html: Markup = """
            <tr\(attributes: ["data-v": result.verdict.rawValue, "id": id])>\
            <td>\(chip(result.verdict))</td><td class="name">
            """
        if result.verdict.isFailure {
            html += """
                <details class="failure"><summary>\(result.name)<span class="message">\(result.message)</span></summary>\
                \(proof(cell, result))</details>
                """
        } else {
            html += "\(result.name)"
            if !result.message.isEmpty { html += #"<span class="message">\#(result.message)</span>"# }
            for name in result.evidence {
                html += #"<span class="message"><a href="\#(link(name))">\#(name)</a></span>"#
            }
        }
        return html + #"</td><td class="time">\#(time(result.seconds))\#(bar)</td></tr>"#
    }

    /// What is known of a failure: its checks, its record, how to repeat it, and the evidence itself.
    private func proof(_ cell: CellReport, _ result: TestResult) -> Markup {
        var html: Markup = ""
        if let checks = result.checks, !checks.isEmpty {
            html += #"<table class="checks"><tbody>"#
            for check in checks {
                html += "<tr><td>\(chip(check.verdict))</td><td>\(check.label)</td><td>\(check.message)</td></tr>"
            }
            html += "</tbody></table>"
        }
        let key = PastRuns.key(result.suite, result.target, result.area, result.name)
        if let record = past.everFailed[key] {
            html += #"<p class="record">failed \#(record.failures.text) of the times it was executed"#
            if let since = record.failsSince {
                html += ", and since <code>\(since.run)</code> each time"
            }
            html += " \(past.strips[key].map(Plots.strip) ?? "")</p>"
        }
        for name in result.evidence {
            html += #"<figure class="evidence"><figcaption><a href="\#(link(name))">\#(name)</a>"#
            switch evidence.content(of: name) {
            case .text(let text): html += #"</figcaption><pre tabindex="0">\#(text)</pre>"#
            case .nothing(let why): html += " \(why)</figcaption>"
            }
            html += "</figure>"
        }
        if result.evidence.isEmpty {
            html += """
                <p class="record">The suite has saved no further evidence; this is its \
                <a href="\(link(cell.record.log))">log</a>.</p>
                """
        }
        return html
    }

    private func time(_ seconds: Double) -> Markup {
        seconds < 0.0005 ? "" : "<span>\(String(format: seconds < 10 ? "%.2f" : "%.0f", seconds)) s</span>"
    }

    private func command(_ words: [String]) -> String {
        words.map { $0.contains(" ") || $0.isEmpty ? "'\($0)'" : $0 }.joined(separator: " ")
    }

    /// The page lies in the run's folder, and so does its evidence.
    func link(_ name: String) -> String {
        let allowed = CharacterSet.urlPathAllowed
        return name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name
    }
}
