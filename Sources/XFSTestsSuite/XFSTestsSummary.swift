/// What a run says of each test of one section, over all cycles and repetitions.
public struct XFSTestsSummary: Sendable {
    public struct Test: Sendable, Hashable {
        public var name: String
        public var outcome: XFSTestsOutcome
        /// The longest that it took.
        public var seconds: Double
        public var reason: String
        public var evidence: [String]
        public var executions: Int
        public var failures: Int
        /// What became of it in each cycle, without repetitions.
        public var cycles: [XFSTestsOutcome]
    }

    public let section: String
    public let tests: [Test]
    public let seconds: Double

    public init(section: String, records: [XFSTestsRecord]) {
        self.section = section
        let own = records.filter { $0.key.section == section }
        seconds = own.reduce(0) { $0 + $1.seconds }
        var byName: [String: [XFSTestsRecord]] = [:]
        for record in own { byName[record.key.name, default: []].append(record) }
        tests = byName.keys.sorted(by: XFSTestsBaseline.precedes).map { XFSTestsSummary.judge($0, byName[$0]!) }
    }

    private static func judge(_ name: String, _ records: [XFSTestsRecord]) -> Test {
        let executed = records.filter(\.outcome.isExecuted)
        let failed = executed.filter(\.outcome.isFailure)
        var result = Test(
            name: name, outcome: records.last!.outcome, seconds: records.map(\.seconds).max() ?? 0,
            reason: records.last!.reason, evidence: records.flatMap(\.evidence), executions: executed.count,
            failures: failed.count, cycles: records.filter { $0.key.attempt == 0 }.map(\.outcome))
        guard let worst = failed.first(where: { $0.outcome != .fail }) ?? failed.first else {
            if let pass = executed.first { (result.outcome, result.reason) = (pass.outcome, "") }
            return result
        }
        if failed.count < executed.count {
            result.outcome = .flaky
            result.reason = "failed \(failed.count) of \(executed.count): \(worst.reason)"
        } else {
            result.outcome = worst.outcome
            result.reason = worst.reason
        }
        return result
    }

    public func count(_ outcome: XFSTestsOutcome) -> Int { tests.count { $0.outcome == outcome } }

    public var executed: Int { tests.count { $0.outcome.isExecuted } }

    /// How many tests were not run, for each reason, most frequent first.
    public var reasons: [(reason: String, tests: [String])] {
        var byReason: [String: [String]] = [:]
        for test in tests where test.outcome == .notrun {
            byReason[XFSTestsSummary.general(test.reason), default: []].append(test.name)
        }
        return byReason.map { ($0.key, $0.value) }.sorted { ($1.1.count, $0.0) < ($0.1.count, $1.0) }
    }

    /// Paths and device names of one run say nothing about the reason.
    static func general(_ reason: String) -> String {
        reason.split(separator: " ").map { word in
            word.hasPrefix("/") ? "PATH" : word.hasPrefix("fstestkit-") ? "DEVICE" : String(word)
        }.joined(separator: " ")
    }
}
