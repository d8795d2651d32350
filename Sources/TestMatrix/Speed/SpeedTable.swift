public import BenchCore

/// A run of the bench as a table in plain text: each job, and below it each subject.
public struct SpeedTable {
    private let record: SpeedRecord

    public init(_ record: SpeedRecord) {
        self.record = record
    }

    /// - Parameter width: columns of the terminal; nil for lines of any length.
    public func lines(width: Int? = nil) -> [String] {
        var lines: [String] = []
        for job in record.jobs.indices {
            let description = record.jobs[job]
            let place = record.places.count > 1 ? " over \(description.place)" : ""
            lines.append("\(description.title)\(place) (\(description.unit))")
            if let obstacle = description.obstacle {
                lines.append("  left out: \(obstacle)")
                continue
            }
            lines += record.subjects.indices.map { line(job, $0) }
        }
        return width.map { width in lines.map { $0.count > width ? String($0.prefix(width - 1)) + "…" : $0 } } ?? lines
    }

    private func line(_ job: Int, _ subject: Int) -> String {
        let result = record.result(job: job, subject: subject)
        let name = "  " + padded(record.subjects[subject].name, nameWidth)
        if result.values.isEmpty { return "\(name)  \(result.failure.map { "failed: \($0)" } ?? "…")" }
        let speed = SpeedText.speed(result.median)
        let start = name + "  " + String(repeating: " ", count: max(0, 9 - speed.count)) + speed
        guard let ratio = result.ratio else { return start + "  " + result.word.rawValue }
        return start + "  " + padded(SpeedText.ratio(ratio), 19) + "  " + SpeedText.word(result)
    }

    private var nameWidth: Int { record.subjects.map(\.name.count).max() ?? 0 }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// What stands below the table: how long, why it ended, what disturbed it.
    public var summary: [String] {
        let subjects = Format.count(record.subjects.count, "subject")
        let jobs = Format.count(record.jobs.filter { $0.obstacle == nil }.count, "job")
        var lines = [
            "\(jobs) on \(subjects), \(Format.count(record.rounds, "round")) in \(Format.duration(record.seconds)): "
                + record.stop.rawValue,
            "ratios are to \(record.subjects[record.reference].name), of medians, with the 95 % interval of the bootstrap",
        ]
        lines += record.disturbances
        return lines
    }
}

extension SpeedRecord {
    /// The filesystems that it ran over.
    var places: [String] { jobs.map(\.place).uniqued() }

    /// Rounds that were begun, the warm-up apart.
    var rounds: Int { trials.map(\.round).max() ?? 0 }

    /// More rounds than this are named by where they begin and end.
    private static let mostNamed = 12

    /// `1–3`, `5` for 1, 2, 3, 5.
    static func ranges(_ rounds: [Int]) -> [String] {
        var ranges: [ClosedRange<Int>] = []
        for round in rounds {
            if let last = ranges.last, last.upperBound + 1 == round {
                ranges[ranges.count - 1] = last.lowerBound...round
            } else {
                ranges.append(round...round)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }
    }

    /// What disturbed it, a line for each; empty where nothing did.
    var disturbances: [String] {
        var lines: [String] = []
        var rounds: [Int: Int] = [:]
        for trial in trials where trial.round > 0 && trial.disturbance > SpeedRecord.tolerance {
            rounds[trial.round, default: 0] += 1
        }
        if !rounds.isEmpty {
            let named = rounds.keys.sorted().map { "\($0) (\(Format.count(rounds[$0] ?? 0, "trial")))" }
            let which = rounds.count > SpeedRecord.mostNamed ? SpeedRecord.ranges(rounds.keys.sorted()) : named
            lines.append("others had more than a tenth of the machine in rounds \(which.joined(separator: ", "))")
        }
        if conditions.steal > 0.01 {
            lines.append("the host took \(SpeedText.percent(conditions.steal)) of the processors")
        }
        if conditions.throttled > 0 { lines.append("cores were slowed \(conditions.throttled) times for their heat") }
        return lines
    }
}
