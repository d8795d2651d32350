public import BenchCore

/// What differs between two runs, test by test. A test over several cycles, or repeated in a cell, counts with its worst.
public struct Comparison: Sendable, Codable {
    public struct Change: Sendable, Hashable, Codable {
        public var suite: String
        public var area: String
        public var name: String
        /// The matrix's column.
        public var target: String
        /// Nil if it is not in that run.
        public var old: Verdict?
        public var new: Verdict?
        public var oldSeconds: Double
        public var newSeconds: Double
        public var message: String
        public var evidence: [String]
        /// What is found now and was not found before.
        public var findings: [String] = []
    }

    public var old: String
    public var new: String
    /// Fails now and did not fail before, or was not there, or fails in another way too: by another oracle, or with another
    /// message.
    public var regressions: [Change] = []
    /// Failed before and passes now.
    public var fixes: [Change] = []
    /// Failed before and fails still.
    public var stillFailing: [Change] = []
    /// Passed before; now skipped, or missing though its group was run.
    public var lost: [Change] = []
    /// Passes now; was skipped or missing before.
    public var gained: [Change] = []
    public var slower: [Change] = []
    public var faster: [Change] = []
    /// Tests in both runs.
    public var common = 0
    /// Groups that only one of the two runs has, so that nothing can be said.
    public var onlyOld: [String] = []
    public var onlyNew: [String] = []

    public var hasRegression: Bool { !regressions.isEmpty }

    /// When a change of time is told: by this factor, and by this many seconds.
    public struct Threshold: Sendable {
        public var factor: Double
        public var seconds: Double

        public init(factor: Double = 2, seconds: Double = 0.5) {
            self.factor = factor
            self.seconds = seconds
        }
    }

    public init(from old: RunReport, to new: RunReport, threshold: Threshold = Threshold()) {
        self.old = old.run.id
        self.new = new.run.id
        let before = Comparison.tests(of: old)
        let after = Comparison.tests(of: new)
        let groupsBefore = Comparison.groups(of: old)
        let groupsAfter = Comparison.groups(of: new)
        onlyOld = groupsBefore.subtracting(groupsAfter).sorted()
        onlyNew = groupsAfter.subtracting(groupsBefore).sorted()
        for key in Set(before.keys).union(after.keys).sorted() {
            let group = key.suite + "/" + key.target
            guard groupsBefore.contains(group), groupsAfter.contains(group) else {
                // A new group that fails is no news about its tests, and a failure all the same.
                if let now = after[key], now.verdict.isFailure { regressions.append(change(key, nil, now)) }
                continue
            }
            sort(change(key, before[key], after[key]), threshold)
        }
        slower.sort { $0.newSeconds - $0.oldSeconds > $1.newSeconds - $1.oldSeconds }
        faster.sort { $0.oldSeconds - $0.newSeconds > $1.oldSeconds - $1.newSeconds }
    }

    private mutating func sort(_ change: Change, _ threshold: Threshold) {
        if change.old != nil && change.new != nil { common += 1 }
        switch (change.old?.isFailure ?? false, change.new?.isFailure ?? false) {
        case (false, true): regressions.append(change)
        case (true, true):
            if change.findings.isEmpty { stillFailing.append(change) } else { regressions.append(change) }
        case (true, false):
            if change.new == .passed { fixes.append(change) } else { lost.append(change) }
        case (false, false):
            if change.old == .passed && change.new != .passed { lost.append(change) }
            if change.old != .passed && change.new == .passed { gained.append(change) }
        }
        // What measures takes as long as it is given.
        guard change.old == .passed, change.new == .passed, change.suite != "bench" else { return }
        let (was, now) = (change.oldSeconds, change.newSeconds)
        if now - was >= threshold.seconds && now >= was * threshold.factor { slower.append(change) }
        if was - now >= threshold.seconds && was >= now * threshold.factor { faster.append(change) }
    }

    private func change(_ key: Key, _ old: Outcome?, _ new: Outcome?) -> Change {
        Change(
            suite: key.suite, area: key.area, name: key.name, target: key.target, old: old?.verdict, new: new?.verdict,
            oldSeconds: old?.seconds ?? 0, newSeconds: new?.seconds ?? 0,
            message: new?.message ?? "", evidence: new?.evidence ?? [],
            findings: (new?.findings ?? []).subtracting(old?.findings ?? []).sorted())
    }

    private struct Key: Hashable, Comparable {
        let suite, target, area, name: String

        static func < (one: Key, other: Key) -> Bool {
            (one.suite, one.target, one.area, one.name) < (other.suite, other.target, other.area, other.name)
        }
    }

    private struct Outcome {
        var verdict: Verdict
        var seconds: Double
        var count: Int
        var message: String
        var evidence: [String]
        /// All that was found in any of its cycles, by name.
        var findings: Set<String>
    }

    /// What a failure is compared by: its oracles, or the class of its message. An oracle's words differ with the moment at which
    /// a cycle acts, so there they do not count.
    private static func findings(of result: TestResult) -> Set<String> {
        guard result.verdict.isFailure else { return [] }
        return Set(FindingName.all(of: result).map { result.checks == nil ? $0.name.description : $0.name.check })
    }

    private static func tests(of report: RunReport) -> [Key: Outcome] {
        var outcomes: [Key: Outcome] = [:]
        for cell in report.cells {
            for result in cell.results {
                let key = Key(
                    suite: cell.record.cell.suite, target: cell.record.cell.column, area: result.area,
                    name: result.isCycle ? result.area : result.name)
                guard var outcome = outcomes[key] else {
                    outcomes[key] = Outcome(
                        verdict: result.verdict, seconds: result.seconds, count: 1, message: result.message,
                        evidence: result.evidence, findings: findings(of: result))
                    continue
                }
                // The mean time, the worst verdict, and what the worst one says.
                outcome.seconds = (outcome.seconds * Double(outcome.count) + result.seconds) / Double(outcome.count + 1)
                outcome.count += 1
                outcome.findings.formUnion(findings(of: result))
                let worse = outcome.verdict.worse(result.verdict)
                if worse != outcome.verdict {
                    outcome.verdict = worse
                    outcome.message = result.message
                    outcome.evidence = result.evidence
                }
                outcomes[key] = outcome
            }
        }
        return outcomes
    }

    private static func groups(of report: RunReport) -> Set<String> {
        Set(
            report.cells.filter { $0.record.wasRun || !$0.results.isEmpty }.map {
                $0.record.cell.suite + "/" + $0.record.cell.column
            })
    }
}
