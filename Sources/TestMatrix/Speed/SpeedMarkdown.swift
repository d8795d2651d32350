public import BenchCore

/// A run of the bench as tables in Markdown, one for each filesystem: what a document takes in.
public struct SpeedMarkdown {
    private let record: SpeedRecord

    public init(_ record: SpeedRecord) {
        self.record = record
    }

    public var text: String {
        var lines = [
            "\(record.processor), \(Format.count(record.processors, "CPU")), Linux \(record.kernel); "
                + "\(Format.count(record.rounds, "round")), seed \(record.seed). "
                + "Ratios to \(record.subjects[record.reference].name), of medians, with the 95 % interval of the bootstrap; "
                + "in brackets the daemon's CPU time, in µs for each request. Bold is what differs."
        ]
        for place in record.places { lines += ["", "Over \(place):", ""] + table(place) }
        lines += [""] + record.disturbances.map { "\($0.prefix(1).uppercased() + $0.dropFirst())." }
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n") + "\n"
    }

    private func table(_ place: String) -> [String] {
        let others = record.subjects.indices.filter { $0 != record.reference }
        let headings = ["job", record.subjects[record.reference].name] + others.map { record.subjects[$0].name }
        var lines = [row(headings), row(headings.map { _ in "---" })]
        for job in record.jobs.indices where record.jobs[job].place == place && record.jobs[job].obstacle == nil {
            let reference = record.result(job: job, subject: record.reference)
            let speed =
                reference.values.isEmpty ? "–" : "\(SpeedText.speed(reference.median)) \(record.jobs[job].unit)"
            lines.append(
                row([record.jobs[job].title, speed + cost(job, record.reference)] + others.map { cell(job, $0) }))
        }
        return lines
    }

    private func cell(_ job: Int, _ subject: Int) -> String {
        let result = record.result(job: job, subject: subject)
        guard let ratio = result.ratio else { return result.failure == nil ? "–" : "failed" }
        let text = SpeedText.ratio(ratio) + cost(job, subject)
        switch result.word {
        case .faster, .slower: return "**\(text)**"
        case .disturbed: return "\(text), disturbed"
        case .noDifference, .tooFewRounds, .reference, .ruler: return text
        }
    }

    private func cost(_ job: Int, _ subject: Int) -> String {
        guard let cost = record.costs(job: job, subject: subject)?.daemonForRequest else { return "" }
        return " [\(SpeedText.speed(cost))]"
    }

    private func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}
