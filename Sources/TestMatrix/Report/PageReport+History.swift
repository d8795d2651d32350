import BenchCore

extension PageReport {
    /// Tests of this run that pass and fail, or have begun to fail, over all runs in the store.
    var history: Markup {
        let here = Set(report.cells.flatMap { $0.results.map { PastRuns.key($0.suite, $0.target, $0.area, $0.name) } })
        let rows = past.everFailed.filter { here.contains($0.key) }.sorted { one, other in
            if (one.value.failsSince == nil) != (other.value.failsSince == nil) { return one.value.failsSince != nil }
            if one.value.failures.share != other.value.failures.share {
                return one.value.failures.share > other.value.failures.share
            }
            return one.key < other.key
        }
        guard !rows.isEmpty else { return "" }
        var html: Markup = """
            <section aria-labelledby="history-title"><h2 id="history-title">Failures over past runs</h2>
            <p>The dot is the share of executed runs that failed, the band Wilson's 95 % interval. Ticks are the last \
            \(PastRuns.limit) runs, tall where it failed.</p>
            <div class="scroll"><table class="record"><thead><tr><th scope="col">test</th><th scope="col">standing</th>\
            <th scope="col">failed</th><th scope="col">0 – 100 %</th><th scope="col">last runs</th></tr></thead><tbody>
            """
        for (key, record) in rows.prefix(100) {
            let since: Markup = record.failsSince.map { #"<span class="message">since \#($0.run)</span>"# } ?? ""
            html += """
                <tr><td><span class="where">\(record.suite)/\(record.target)</span> \
                \(PageReport.breakable(TestResult.path(area: record.area, name: record.name)))</td><td>\(record.standing)\(since)</td>\
                <td class="number">\(record.failures.text)</td><td>\(Plots.interval(record.failures))</td>\
                <td>\(past.strips[key].map(Plots.strip) ?? "")</td></tr>
                """
        }
        html += "</tbody></table></div>"
        if rows.count > 100 {
            html += "<p>… and \(rows.count - 100) more: <code>fstestkit history</code> shows them.</p>"
        }
        return html + "</section>"
    }

    /// What was not run, and why.
    var leftOut: Markup {
        let cells = report.leftOut + report.unfinished
        guard !cells.isEmpty else { return "" }
        var html: Markup =
            #"<section id="left-out" aria-labelledby="left-out-title"><h2 id="left-out-title">Not run</h2><ul>"#
        for cell in cells {
            let reason = cell.record.reason.isEmpty ? "the run was interrupted" : cell.record.reason
            html += "<li><b>\(cell.record.cell.key)</b>: \(reason)</li>"
        }
        return html + "</ul></section>"
    }

    /// Where and how it was run.
    var conditions: Markup {
        let run = report.run
        var rows = [
            ("command", run.commandLine.joined(separator: " ")), ("seed", "\(run.seed)"),
            ("kernel", "Linux \(run.kernel)"),
            (
                "machine",
                "\(run.machine.name), \(run.machine.processors) × \(run.machine.processor), "
                    + "\(Format.memory(run.machine.memory)), \(run.machine.architecture)"
            ),
            ("system", run.machine.system), ("fstestkit", run.tool), ("started", Format.moment(run.started)),
        ]
        for (name, machine) in report.machines {
            rows.append(("machine \(name)", "\(machine.text); \(machine.identity); \(machine.commandLine)"))
        }
        rows += run.environment.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let html: [Markup] = rows.map { #"<tr><th scope="row">\#($0.0)</th><td>\#($0.1)</td></tr>"# }
        return """
            <section aria-labelledby="how-title"><h2 id="how-title">Conditions</h2><div class="scroll">\
            <table class="how"><tbody>\(html)</tbody></table></div></section>
            """
    }
}
