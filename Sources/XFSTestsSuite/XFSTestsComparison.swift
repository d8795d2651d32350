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
