import BenchCore
import Foundation

extension PageReport {
    /// The heat map: a row for each suite and, below it, one for each of its areas; a column for each target.
    var matrix: Markup {
        var html: Markup = """
            <section id="matrix" aria-labelledby="matrix-title"><h2 id="matrix-title">Matrix</h2>
            <div class="scroll" tabindex="0" role="region" aria-labelledby="matrix-title"><table class="heat" \
            style="min-width:\(13 + squareWidth * report.columns.count)rem;max-width:\(13 + 14 * report.columns.count)rem">\
            <thead>\(headings)</thead>
            """
        var quiet = 0
        for suite in report.suites {
            html += #"<tbody class="suite"><tr class="whole"><th scope="row">\#(suite)</th>"#
            for column in report.columns { html += suiteSquare(suite, column) }
            html += "</tr>"
            for area in areas(of: suite) {
                // Where all is well the script folds the row away; the suite's group keeps a dot for it.
                let isQuiet = !hasFailure(suite, area)
                if isQuiet { quiet += 1 }
                html +=
                    #"<tr class="\#(isQuiet ? "area quiet" : "area")"><th scope="row" title="\#(area)">\#(area)</th>"#
                for column in report.columns { html += areaSquare(suite, column, area) }
                html += "</tr>"
            }
            html += "</tbody>"
        }
        html += "</table></div>"
        if quiet > 0 {
            html += """
                <button id="areas" type="button" aria-pressed="false" hidden>Show \(Format.count(quiet, "area")) \
                without a failure</button>
                """
        }
        return html + "</section>"
    }

    /// What the longest pair of counts takes, in rem; three fifths for a digit.
    private var squareWidth: Int {
        let lengths = report.suites.flatMap { suite in
            report.columns.map { column in
                report.group(suite, column).map { "\($0.counts.passed)/\($0.counts.executed)".count } ?? 0
            }
        }
        return max(6, 1 + (lengths.max() ?? 0) * 3 / 5)
    }

    /// The columns' names; with guests below their kernels'.
    private var headings: Markup {
        let kernels = report.columnsOfKernels
        let corner: Markup = "passed of executed"
        guard kernels.contains(where: { $0.kernel != nil }) else {
            let names: [Markup] = report.columns.map { #"<th scope="col">\#($0)</th>"# }
            return #"<tr><th scope="col">\#(corner)</th>\#(names)</tr>"#
        }
        let above: [Markup] = kernels.map { kernel, columns in
            #"<th scope="colgroup" class="kernel" colspan="\#(columns.count)">\#(kernel ?? "host")</th>"#
        }
        let names: [Markup] = kernels.flatMap { kernel, columns in
            columns.map { column in
                let name = kernel.map { String(column.dropFirst($0.count + 1)) } ?? column
                return #"<th scope="col">\#(name)</th>"# as Markup
            }
        }
        return #"<tr><th scope="col" rowspan="2">\#(corner)</th>\#(above)</tr><tr>\#(names)</tr>"#
    }

    private func hasFailure(_ suite: String, _ area: String) -> Bool {
        report.cells.contains { cell in
            cell.record.cell.suite == suite && cell.results.contains { $0.area == area && $0.verdict.isFailure }
        }
    }

    private func areas(of suite: String) -> [String] {
        report.cells.filter { $0.record.cell.suite == suite }.flatMap { $0.results.map(\.area) }.uniqued()
    }

    private func suiteSquare(_ suite: String, _ column: String) -> Markup {
        guard let group = report.group(suite, column) else { return "<td></td>" }
        let counts = group.counts
        guard counts.total > 0 else {
            let words = group.standing == .leftOut ? "left out" : "not run"
            return ##"<td class="none" title="\##(group.reason)"><a href="#left-out">\##(words)</a></td>"##
        }
        let name = PageReport.anchor("cell", group.cells.first { !$0.results.isEmpty }?.record.cell.key ?? "")
        let note = counts.failures > 0 ? Format.count(counts.failures, "failure") : Format.duration(group.seconds)
        return """
            <td class="\(heat(counts))"><a href="#\(name)" aria-label="\(suite) on \(column): \(counts.text)">\
            <b>\(counts.passed)/\(counts.executed)</b><small>\(note)</small>\(dots(suite, column))</a></td>
            """
    }

    /// A dot for each area, in its colour.
    private func dots(_ suite: String, _ column: String) -> Markup {
        let results = report.cells.filter { $0.record.cell.suite == suite && $0.record.cell.column == column }.flatMap(
            \.results)
        let byArea = Dictionary(grouping: results, by: \.area).mapValues { Counts($0.lazy.map(\.verdict)) }
        let dots: [Markup] = areas(of: suite).map { area in
            let counts = byArea[area] ?? Counts()
            return #"<i class="\#(heat(counts))" title="\#(area): \#(counts.text)"></i>"#
        }
        return #"<span class="dots" aria-hidden="true">\#(dots)</span>"#
    }

    private func areaSquare(_ suite: String, _ column: String, _ area: String) -> Markup {
        let cells = report.cells.filter { $0.record.cell.suite == suite && $0.record.cell.column == column }
        let counts = Counts(cells.flatMap { $0.results.lazy.filter { $0.area == area }.map(\.verdict) })
        guard counts.total > 0, let cell = cells.first(where: { $0.results.contains { $0.area == area } }) else {
            return #"<td class="none"></td>"#
        }
        // A large run has no tables of what passed.
        let name =
            mostListed == nil
            ? PageReport.anchor("area", cell.record.cell.key, area) : PageReport.anchor("cell", cell.record.cell.key)
        let words = counts.executed == 0 ? "skipped" : "\(counts.passed)/\(counts.executed)"
        return """
            <td class="\(heat(counts))"><a href="#\(name)" aria-label="\(area) on \(column): \(counts.text)">\
            \(words)</a></td>
            """
    }

    /// The colour: green, five steps of red by the share that failed, or grey where nothing was executed.
    private func heat(_ counts: Counts) -> String {
        if counts.executed == 0 { return "none" }
        if counts.failures == 0 { return "h0" }
        return "h\(min(5, 1 + counts.failures * 5 / max(1, counts.executed)))"
    }

    /// Each thing that is wrong, once, with links to all that shows it; then what is accepted.
    var findings: Markup {
        let open = report.findings.filter { $0.acceptance == nil }
        let accepted = report.findings.filter { $0.acceptance != nil }
        guard !report.findings.isEmpty else { return "" }
        var html: Markup = """
            <section aria-labelledby="failures-title"><h2 id="failures-title">\(Format.count(open.count, "finding"))</h2>\
            <ul class="failures">\(open.prefix(200).map(item))</ul>
            """
        if open.count > 200 { html += "<p>… and \(open.count - 200) more in the cells below.</p>" }
        if !accepted.isEmpty {
            html += "<details><summary>Accepted: \(accepted.count)</summary>"
            html += #"<ul class="failures">\#(accepted.map(item))</ul></details>"#
        }
        return html + "</section>"
    }

    private func item(_ finding: Finding) -> Markup {
        let accepted: Markup = finding.acceptance.map { #"<span class="message">\#($0.words)</span>"# } ?? ""
        let title: Markup = """
            \(chip(finding.worst)) <span class="where">\(finding.name.suite)</span> <b>\(finding.name.check)</b>\
            <span class="message">\(finding.places[0].message.prefix(300))</span>\(accepted)
            """
        if finding.places.count == 1 {
            let place = finding.places[0]
            return ##"<li><a href="#\##(anchor(place))">\##(title)\##(whereabouts(place))</a></li>"##
        }
        let places: [Markup] = finding.places.prefix(100).map {
            ##"<li><a href="#\##(anchor($0))">\##(whereabouts($0))</a></li>"##
        }
        let evidence: [Markup] = [("first", finding.firstEvidence), ("worst", finding.worstEvidence)].compactMap {
            guard let file = $0.1.first else { return nil }
            return #" <a class="message" href="\#(link(file))">\#($0.0) evidence: \#(file)</a>"#
        }
        return """
            <li><details class="finding"><summary>\(title)<span class="message">\(finding.extent)</span></summary>\
            \(evidence)<ul>\(places)</ul></details></li>
            """
    }

    private func whereabouts(_ place: Finding.Place) -> Markup {
        let cell = report.cells[place.cell]
        let result = cell.results[place.result]
        return #"<span class="message">\#(cell.record.cell.key) \#(PageReport.breakable(result.path))</span>"#
    }

    /// A path that may go on in the next line after each slash.
    static func breakable(_ path: String) -> Markup {
        var parts: Markup = ""
        for part in path.split(separator: "/") { parts += parts.text.isEmpty ? "\(part)" : "/<wbr>\(part)" }
        return parts
    }

    private func anchor(_ place: Finding.Place) -> String {
        let cell = report.cells[place.cell]
        return mostListed == nil || listed(cell).contains(place.result)
            ? anchor(cell, place.result) : PageReport.anchor("cell", cell.record.cell.key)
    }

    func anchor(_ cell: CellReport, _ position: Int) -> String {
        "t\(cell.record.position)-\(position)"
    }

    func chip(_ verdict: Verdict) -> Markup {
        let style = verdict.isFailure ? "failed" : verdict.rawValue
        return #"<span class="chip \#(style)">\#(PageReport.sign(verdict)) \#(verdict.rawValue)</span>"#
    }

    /// The filter: text and verdicts. Hidden until the script makes it work.
    var filter: Markup {
        let counts = report.counts
        var html: Markup = """
            <form id="filter" role="search" hidden><label>Filter <input id="text" type="search" \
            placeholder="test, area, cell or message" autocomplete="off"></label>
            <span role="group" aria-label="Verdicts">
            """
        for verdict in Verdict.allCases where counts[verdict] > 0 {
            html += """
                <button type="button" class="toggle \(verdict.isFailure ? "failed" : verdict.rawValue)" aria-pressed="true" \
                data-verdict="\(verdict.rawValue)">\(PageReport.sign(verdict)) \(verdict.rawValue) \(counts[verdict])</button>
                """
        }
        let unlisted = mostListed == nil ? 0 : report.cells.reduce(0) { $0 + $1.results.count - listed($1).count }
        return html + #"</span><output id="shown" data-unlisted="\#(unlisted)" aria-live="polite"></output></form>"#
    }
}
