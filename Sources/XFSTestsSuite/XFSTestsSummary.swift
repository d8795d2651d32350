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

/// A run against what was expected.
public struct XFSTestsComparison: Sendable {
    public struct Difference: Sendable {
        public let test: XFSTestsSummary.Test
        public let expected: XFSTestsBaseline.Expectation?
    }

    /// Failures that no baseline expects.
    public var newFailures: [Difference] = []
    public var expectedFailures: [Difference] = []
    public var fixed: [Difference] = []
    /// Were executed before.
    public var newlyNotRun: [Difference] = []
    public var slower: [Difference] = []
    /// Not in the baseline, though there is one.
    public var unknown: [Difference] = []

    /// - Parameter factor: slower is what takes that many times as long as before, and ten seconds more.
    public init(_ summary: XFSTestsSummary, baseline: XFSTestsBaseline?, factor: Double = 3) {
        for test in summary.tests where test.outcome != .excluded {
            let expected = baseline?.tests[test.name]
            let difference = Difference(test: test, expected: expected)
            if XFSTestsComparison.isUnexpectedFailure(test.outcome, expected: expected?.outcome) {
                newFailures.append(difference)
            } else if test.outcome.isFailure {
                expectedFailures.append(difference)
            }
            guard let expected else {
                if baseline != nil { unknown.append(difference) }
                continue
            }
            if test.outcome == .pass && expected.outcome.isFailure && expected.outcome != .flaky {
                fixed.append(difference)
            }
            if test.outcome == .notrun && expected.outcome.isExecuted { newlyNotRun.append(difference) }
            if let seconds = expected.seconds, test.outcome.isExecuted, test.seconds > Double(seconds) * factor,
                test.seconds > Double(seconds) + 10
            {
                slower.append(difference)
            }
        }
    }

    /// What sets the exit status.
    public var isAsExpected: Bool { newFailures.isEmpty && newlyNotRun.isEmpty }

    static func isUnexpectedFailure(_ outcome: XFSTestsOutcome, expected: XFSTestsOutcome?) -> Bool {
        guard outcome.isFailure else { return false }
        switch expected {
        case .flaky: return outcome != .flaky && outcome != .fail
        // A test that always failed and now sometimes passes is none the worse for it.
        case .fail: return outcome != .fail && outcome != .flaky
        default: return outcome != expected
        }
    }
}
