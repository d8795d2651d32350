public import BenchCore

/// What became of one test of xfstests.
public enum XFSTestsOutcome: String, Codable, Sendable, CaseIterable {
    case pass
    case fail
    /// The test said why it cannot run here.
    case notrun
    /// Did not end within its time; the bench ended it.
    case hung
    /// The daemon, `check`, the bench or the machine died while it ran.
    case crashed
    /// Failed in some of several executions.
    case flaky
    /// Named by an exclude list; never started.
    case excluded

    /// It was started and not declined: only these count as executed.
    public var isExecuted: Bool { self != .notrun && self != .excluded }

    public var isFailure: Bool { self == .fail || self == .hung || self == .crashed || self == .flaky }

    /// In the terms that all suites share.
    public var verdict: Verdict {
        switch self {
        case .pass: .passed
        case .fail, .flaky: .failed
        case .notrun, .excluded: .skipped
        case .hung: .hung
        case .crashed: .crashed
        }
    }
}

/// One execution: names are unique within a run.
public struct XFSTestsKey: Codable, Sendable, Hashable {
    /// From 1.
    public var cycle: Int
    /// The configuration's section: `uring_percore`.
    public var section: String
    /// `generic/001`.
    public var name: String
    /// 0, or the number of the repetition after a failure.
    public var attempt: Int

    public init(cycle: Int, section: String, name: String, attempt: Int = 0) {
        self.cycle = cycle
        self.section = section
        self.name = name
        self.attempt = attempt
    }
}

/// The result of one execution.
public struct XFSTestsRecord: Codable, Sendable, Hashable {
    public var key: XFSTestsKey
    public var outcome: XFSTestsOutcome
    /// Wall time.
    public var seconds: Double
    /// One line: the failure, or why it did not run. Empty for a pass.
    public var reason: String
    /// Paths below the output directory.
    public var evidence: [String]

    public init(
        key: XFSTestsKey, outcome: XFSTestsOutcome, seconds: Double = 0, reason: String = "", evidence: [String] = []
    ) {
        self.key = key
        self.outcome = outcome
        self.seconds = seconds
        self.reason = reason
        self.evidence = evidence
    }
}
