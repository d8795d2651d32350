import BenchCore
import Foundation

extension SpeedPage {
    /// Processor time by whose it is.
    var processorTime: Markup {
        let jobs = run.filter { job in costs[job].contains { $0 != nil } }
        if jobs.isEmpty { return "" }
        let figures = jobs.map { job -> Markup in
            let most = costs[job].compactMap { $0.map { parts($0).reduce(0) { $0 + $1.value } } }.max() ?? 1
            let rows = record.subjects.indices.compactMap { subject -> Markup? in
                guard let costs = costs[job][subject] else { return nil }
                let parts = parts(costs)
                let words = parts.map { "\($0.name) \(SpeedText.speed($0.value))" }.joined(separator: ", ")
                let name = record.subjects[subject].name
                return """
                    <div class="row"><span class="who"><i class="\(style(subject))"></i>\(name)</span><span class="plot">\
                    \(SpeedPlots.stack(parts.map { ($0.style, $0.value) }, of: most, "\(name): \(words) µs"))</span>\
                    <span class="said number" title="\(words)">\(SpeedText.speed(parts.reduce(0) { $0 + $1.value })) µs\
                    \(costs.daemonForRequest.map { ", the daemon \(SpeedText.speed($0)) µs for each request" } ?? "")</span></div>
                    """
            }
            return #"<figure class="job short"><figcaption><b>\#(title(job))</b></figcaption>\#(rows)</figure>"#
        }
        return """
            <section aria-labelledby="time"><h2 id="time">Processor time</h2>
            <p>In µs for each operation of a client, and of the daemon for each request.</p>
            <ul class="legend"><li><i class="p0"></i>daemon, user</li><li><i class="p1"></i>daemon, kernel</li>\
            <li><i class="p2"></i>clients</li><li><i class="p3"></i>kernel threads</li></ul>\(figures)</section>
            """
    }

    private func parts(_ costs: SpeedCosts) -> [(name: String, style: String, value: Double)] {
        [
            ("daemon user", "p0", costs.daemonUser), ("daemon kernel", "p1", costs.daemonSystem),
            ("clients", "p2", costs.client), ("kernel threads", "p3", max(0, costs.kernelThreads)),
        ].map { ($0.0, $0.1, $0.2.isFinite ? $0.2 : 0) }
    }

    /// Does one core's queue take all?
    var queues: Markup {
        let most = costs.flatMap(\.self).compactMap { $0?.queues?.count }.max() ?? 0
        if most == 0 { return "" }
        var rows: [Markup] = []
        for job in run {
            for subject in record.subjects.indices {
                guard let own = costs[job][subject], let queues = own.queues else { continue }
                let total = max(1, queues.reduce(own.device ?? 0, +))
                func cell(_ value: Double?) -> Markup {
                    guard let value else { return "<td></td>" }
                    let share = value / total
                    return #"<td class="q\#(Int((share * 8).rounded()))">\#(SpeedText.percent(share))</td>"#
                }
                let cells = (0..<most).map { cell($0 < queues.count ? queues[$0] : nil) }
                rows.append(
                    """
                    <tr><th scope="row">\(title(job))</th><td class="name">\(record.subjects[subject].name)</td>\(cells)\
                    \(cell(own.device))</tr>
                    """)
            }
        }
        let headings = (0..<most).map { number -> Markup in #"<th scope="col">\#(number)</th>"# }
        return """
            <section aria-labelledby="queues"><h2 id="queues">Requests by queue</h2>
            <p>Which part of a job's requests came by each of the kernel's queues, and by /dev/fuse; as the daemon counted in the \
            warm-up.</p>
            <div class="scroll" tabindex="0" role="region" aria-labelledby="queues"><table class="numbers"><thead><tr>\
            <th scope="col">job</th><th scope="col">subject</th>\(headings)<th scope="col">/dev/fuse</th></tr></thead>\
            <tbody>\(rows)</tbody></table></div></section>
            """
    }

    /// What was counted, as numbers.
    var reasons: Markup {
        var rows: [Markup] = []
        for job in run {
            for subject in record.subjects.indices {
                guard let costs = costs[job][subject] else { continue }
                let cells = [
                    count(costs.requestsPerOperation, 2), costs.way ?? notCounted, count(costs.batch, 1),
                    SpeedText.fixed(costs.switches, 2), count(costs.wakeUps, 2), count(costs.interrupts, 2),
                    count(costs.instructions, 0),
                ].map { text -> Markup in #"<td class="number">\#(text)</td>"# }
                rows.append(
                    """
                    <tr><th scope="row">\(title(job))</th><td class="name">\(record.subjects[subject].name)</td>\(cells)</tr>
                    """)
            }
        }
        return """
            <section aria-labelledby="why"><h2 id="why">What was counted</h2>
            <p>Requests for each operation, and the rest for each request (for each operation where there are none): requests taken \
            together, switches of the daemon's threads, wake-ups by them, interrupts between cores, and the daemon's \
            instructions in user mode. By the kernel's tracepoints and counters, in the warm-up; interrupts only where nobody else was at work.</p>
            <div class="scroll" tabindex="0" role="region" aria-labelledby="why"><table class="numbers"><thead><tr>\
            <th scope="col">job</th><th scope="col">subject</th><th scope="col">requests</th><th scope="col">way</th>\
            <th scope="col">batch</th><th scope="col">switches</th><th scope="col">wake-ups</th><th scope="col">interrupts</th>\
            <th scope="col">instructions</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
            """
    }

    private var notCounted: String { "not counted" }

    private func count(_ value: Double?, _ decimals: Int) -> String {
        value.map { SpeedText.fixed($0, decimals) } ?? notCounted
    }

    /// What was measured, on what, and what the machine went through.
    var conditions: Markup {
        var rows: [(String, String)] = record.subjects.map { subject in
            (subject.name, subject.isDirectory ? "the plain directory" : subject.command.joined(separator: " "))
        }
        rows += [
            ("machine", "\(record.processor), \(Format.count(record.processors, "CPU")), \(record.memory) MiB"),
            ("kernel", record.kernel), ("seed", "\(record.seed)"), ("each trial", record.settings),
            (
                "load",
                "\(SpeedText.fixed(record.conditions.loadBefore, 1)) before, \(SpeedText.fixed(record.conditions.loadAfter, 1)) after"
            ),
            ("taken by the host", SpeedText.percent(record.conditions.steal)),
        ]
        for (what, share) in record.conditions.pressure.sorted(by: { $0.key < $1.key }) {
            rows.append(("something waited for \(what)", "\(SpeedText.percent(share)) of the time"))
        }
        let table = rows.map { name, value -> Markup in #"<tr><th scope="row">\#(name)</th><td>\#(value)</td></tr>"# }
        return """
            <section aria-labelledby="conditions"><h2 id="conditions">Conditions</h2>
            <table class="how"><tbody>\(table)</tbody></table></section>
            """
    }
}
