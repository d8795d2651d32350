/// What a job came to on one subject.
public struct SpeedResult: Sendable {
    public let job: Int
    public let subject: Int
    /// Rounds that count, in order.
    public let rounds: [Int]
    /// One for each of ``rounds``.
    public let values: [Double]
    /// The reference's of the same rounds.
    public let references: [Double]
    /// Rounds in which too much else was going on, on either side.
    public let disturbedRounds: [Int]
    /// Too many of them: those count all the same, and no word is said.
    public let isDisturbed: Bool
    /// To the reference; nil for that itself, and without a common round.
    public let ratio: RatioEstimate?
    public let word: SpeedWord
    public let failure: String?

    public var median: Double { MedianQuotient.median(values) }
}

extension SpeedRecord {
    /// More of the machine's processor time for others than this spoils a trial.
    public static let tolerance = 0.1

    /// What a job came to on a subject.
    public func result(job: Int, subject: Int) -> SpeedResult {
        let own = measured(job, subject)
        let others = subject == reference ? own : measured(job, reference)
        let common = others.isEmpty ? own : own.filter { others[$0.key] != nil }
        let clean = common.filter { round, trial in
            max(trial.disturbance, others[round]?.disturbance ?? 0) <= SpeedRecord.tolerance
        }
        let isDisturbed = clean.count < min(RatioEstimate.fewestRounds, common.count)
        let rounds = (isDisturbed ? common : clean).keys.sorted()
        let values = rounds.compactMap { own[$0]?.value }
        let references = rounds.compactMap { others[$0]?.value }
        var ratio: RatioEstimate?
        if subject != reference, !references.isEmpty {
            ratio = MedianQuotient([.init(above: [values], below: [references])]).estimate(seed: seed)
        }
        return SpeedResult(
            job: job, subject: subject, rounds: rounds, values: values, references: references,
            disturbedRounds: common.keys.filter { clean[$0] == nil }.sorted(), isDisturbed: isDisturbed, ratio: ratio,
            word: word(ratio, isDisturbed, subject),
            failure: trials.last { $0.job == job && $0.subject == subject && $0.failure != nil }?.failure)
    }

    private func word(_ ratio: RatioEstimate?, _ isDisturbed: Bool, _ subject: Int) -> SpeedWord {
        if subject == reference { return .reference }
        if subjects[subject].isDirectory { return .ruler }
        guard let ratio else { return .tooFewRounds }
        if isDisturbed && ratio.rounds >= RatioEstimate.fewestRounds { return .disturbed }
        return ratio.word(among: comparisons)
    }

    /// The words that a run says.
    public var comparisons: Int {
        let compared = subjects.indices.filter { $0 != reference && !subjects[$0].isDirectory }
        return max(1, jobs.filter { $0.obstacle == nil }.count * compared.count)
    }

    /// Trials that gave a value, by round.
    private func measured(_ job: Int, _ subject: Int) -> [Int: Trial] {
        var result: [Int: Trial] = [:]
        for trial in trials where trial.job == job && trial.subject == subject && trial.round > 0 && trial.value != nil
        {
            result[trial.round] = trial
        }
        return result
    }
}
