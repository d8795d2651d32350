public import BenchCore
import Foundation

/// A run of the bench as one HTML page that needs nothing else.
public struct SpeedPage {
    let record: SpeedRecord
    /// For each job of the record, for each subject.
    let results: [[SpeedResult]]
    let costs: [[SpeedCosts?]]

    public init(_ record: SpeedRecord) {
        self.record = record
        results = record.jobs.indices.map { job in
            record.subjects.indices.map { record.result(job: job, subject: $0) }
        }
        costs = record.jobs.indices.map { job in
            record.subjects.indices.map { record.costs(job: job, subject: $0) }
        }
    }

    public var text: String {
        let body: Markup = """
            \(header)
            <main>
            \(ratios)
            \(scaling)
            \(latencies)
            \(processorTime)
            \(queues)
            \(reasons)
            \(conditions)
            </main>
            <footer>Made by fstestkit \(record.tool). docs/bench.md tells how it is measured.</footer>
            """
        let subjects = record.subjects.map(\.name).joined(separator: ", ")
        return Markup.page("Speed · \(subjects)", style: PackageResources.speed_css, body).text
    }

    private var header: Markup {
        let tiles: [(String, String)] = [
            ("subjects", "\(record.subjects.count)"), ("jobs", "\(run.count)"), ("rounds", "\(record.rounds)"),
            ("time", Format.duration(record.seconds)),
        ]
        let disturbed: Markup =
            record.disturbances.isEmpty
            ? "" : #"<p class="disturbed">Disturbed: \#(record.disturbances.joined(separator: "; ")).</p>"#
        return """
            <header>
            <div class="title"><h1>fstestkit bench</h1></div>
            <p>Linux \(record.kernel) · \(record.processor), \(Format.count(record.processors, "CPU")) · \
            \(Format.moment(Date(timeIntervalSince1970: record.began))) · \(record.stop.rawValue)</p>
            <dl class="tiles">\(tiles.map { name, value in tile(name, value) })</dl>
            \(disturbed)
            </header>
            """
    }

    private func tile(_ name: String, _ value: String) -> Markup {
        #"<div class="tile"><dt>\#(name)</dt><dd>\#(value)</dd></div>"#
    }

    /// Jobs that were run.
    var run: [Int] { record.jobs.indices.filter { job in results[job].contains { !$0.values.isEmpty } } }

    /// A subject's colour.
    func style(_ subject: Int) -> String { "s\(subject % 8)" }

    func title(_ job: Int) -> String {
        record.jobs[job].title + (record.places.count > 1 ? " over \(record.jobs[job].place)" : "")
    }

    /// Each subject's name with its colour.
    var legend: Markup {
        let names = record.subjects.indices.map { subject -> Markup in
            #"<li><i class="\#(style(subject))"></i>\#(record.subjects[subject].name)</li>"#
        }
        return #"<ul class="legend">\#(names)</ul>"#
    }

    private var ratios: Markup {
        let reference = record.subjects[record.reference].name
        return """
            <section aria-labelledby="ratios"><h2 id="ratios">Beside \(reference)</h2>
            <p>Ratios of medians on a logarithmic scale: the thick line is 1, the thin ones are a half and twice; to the right is \
            faster. The whisker is the 95 % interval.</p>
            \(run.map(ratios(of:)))\(leftOut)</section>
            """
    }

    private func ratios(of job: Int) -> Markup {
        let rows = record.subjects.indices.map { subject -> Markup in
            let result = results[job][subject]
            let name: Markup =
                #"<span class="who"><i class="\#(style(subject))"></i>\#(record.subjects[subject].name)</span>"#
            guard !result.values.isEmpty else {
                return #"<div class="row">\#(name)<span class="said">\#(result.failure ?? "not run")</span></div>"#
            }
            let speed = SpeedText.speed(result.median)
            guard let ratio = result.ratio else {
                return """
                    <div class="row">\(name)<span class="speed">\(speed)</span><span class="plot"></span>\
                    <span class="said">reference</span></div>
                    """
            }
            let words = "\(record.subjects[subject].name): \(SpeedText.ratio(ratio))"
            return """
                <div class="row">\(name)<span class="speed">\(speed)</span>\
                <span class="plot">\(SpeedPlots.ratio(ratio, style(subject), words))</span>\
                <span class="said">\(SpeedText.ratio(ratio)) <b class="\(wordStyle(result.word))">\(SpeedText.word(result))</b>\
                </span></div>
                """
        }
        return """
            <figure class="job"><figcaption><b>\(title(job))</b> <span>\(record.jobs[job].summary) · \(record.jobs[job].unit)</span>\
            </figcaption>\(rows)</figure>
            """
    }

    private func wordStyle(_ word: SpeedWord) -> String {
        switch word {
        case .faster: "good"
        case .slower: "bad"
        case .disturbed, .tooFewRounds: "warn"
        case .noDifference, .reference, .ruler: "plain"
        }
    }

    private var leftOut: Markup {
        let jobs = record.jobs.filter { $0.obstacle != nil }
        if jobs.isEmpty { return "" }
        return "<p>Left out: \(jobs.map { "\($0.title) (\($0.obstacle ?? ""))" }.joined(separator: ", ")).</p>"
    }

    /// Jobs that were run with several numbers of clients.
    private var scaling: Markup {
        let groups = Dictionary(grouping: run) { job -> String in
            let description = record.jobs[job]
            return "\(description.name)\u{0}\(description.place)\u{0}\(description.depth)"
        }.values.filter { jobs in Set(jobs.map { record.jobs[$0].clients }).count > 1 }.sorted { $0[0] < $1[0] }
        if groups.isEmpty { return "" }
        let figures = groups.map { jobs -> Markup in
            let description = record.jobs[jobs[0]]
            // The plain directory would press all others to the ground.
            let curves = record.subjects.indices.filter { !record.subjects[$0].isDirectory }.map { subject in
                SpeedPlots.Curve(
                    style: style(subject),
                    points: jobs.filter { !results[$0][subject].values.isEmpty }.map { job in
                        let values = results[job][subject].values
                        return .init(
                            clients: record.jobs[job].clients, value: results[job][subject].median,
                            low: values.min() ?? 0, high: values.max() ?? 0)
                    }.sorted { $0.clients < $1.clients })
            }.filter { $0.points.count > 1 }
            let place = record.places.count > 1 ? " over \(description.place)" : ""
            return """
                <figure><figcaption><b>\(description.name)\(place)</b> <span>\(description.unit) over clients</span></figcaption>\
                \(SpeedPlots.scaling(curves, "\(description.name): \(description.unit) over the number of clients"))</figure>
                """
        }
        return """
            <section aria-labelledby="scaling"><h2 id="scaling">With more clients</h2>
            <p>Medians, and the range of all rounds; without the plain directory.</p>\(legend)<div class="figures">\(figures)</div></section>
            """
    }

    private var latencies: Markup {
        let jobs = run.filter { job in costs[job].contains { $0?.latency != nil } }
        if jobs.isEmpty { return "" }
        let figures = jobs.map { job -> Markup in
            let all = costs[job].compactMap { $0?.latency }
            let range = max(0.1, all.map(\.p50).min() ?? 1)...max(0.2, all.map(\.p999).max() ?? 1)
            let rows = record.subjects.indices.compactMap { subject -> Markup? in
                guard let latency = costs[job][subject]?.latency else { return nil }
                let words = [latency.p50, latency.p99, latency.p999].map(SpeedText.speed).joined(separator: " / ")
                let name = record.subjects[subject].name
                return """
                    <div class="row"><span class="who"><i class="\(style(subject))"></i>\(name)</span>\
                    <span class="plot">\(SpeedPlots.latency(latency, in: range, style(subject), "\(name): \(words) µs"))</span>\
                    <span class="said number">\(words)</span></div>
                    """
            }
            return #"<figure class="job short"><figcaption><b>\#(title(job))</b></figcaption>\#(rows)</figure>"#
        }
        return """
            <section aria-labelledby="latency"><h2 id="latency">Latency</h2>
            <p>Of an operation, as its client sees it: half of them, 99 % and 99.9 % take no longer than so many µs. Each job has a \
            logarithmic scale of its own.</p>\(figures)</section>
            """
    }
}
