/// The result of one test on one transport: the one record that every suite writes and every report reads.
public struct TestResult: Codable, Sendable, Hashable {
    /// `correctness`, `stop-path` or `xfstests`.
    public var suite: String
    /// What served the mount: a transport's name, a daemon's label, or `directory`.
    public var target: String
    /// The part of the suite, for a summary (`rename`, `locks`, `generic`).
    public var area: String
    public var name: String
    public var verdict: Verdict
    /// Wall time.
    public var seconds: Double
    /// One line: expected and got, or the missing condition. Empty for a pass.
    public var message: String
    /// Paths of files with the evidence, relative to the run's output directory.
    public var evidence: [String]
    /// What each of the test's checks said, where it has several; nil where it has one.
    public var checks: [Check]?
    /// What it has measured, where that is what it is for.
    public var measurement: Measurement?

    /// One of several checks of a test, such as an oracle of the stop-path suite.
    public struct Check: Codable, Sendable, Hashable {
        public var name: String
        /// What the name, where it is but a letter, stands for.
        public var title: String?
        /// ``Verdict/skipped`` with the reason in `message` where it cannot be made here.
        public var verdict: Verdict
        public var message: String

        /// `X exit status`.
        public var label: String { title.map { "\(name) \($0)" } ?? name }

        public init(name: String, title: String? = nil, verdict: Verdict, message: String = "") {
            self.name = name
            self.title = title
            self.verdict = verdict
            self.message = message
        }
    }

    public init(
        suite: String, target: String, area: String, name: String, verdict: Verdict, seconds: Double,
        message: String = "", evidence: [String] = [], checks: [Check]? = nil,
        measurement: Measurement? = nil
    ) {
        self.suite = suite
        self.target = target
        self.area = area
        self.name = name
        self.verdict = verdict
        self.seconds = seconds
        self.message = message
        self.evidence = evidence
        self.checks = checks
        self.measurement = measurement
    }
}

extension TestResult {
    /// The test within its suite, as people are told of it: `rename/over an open file`.
    public var path: String { TestResult.path(area: area, name: name) }

    /// Area and name, where the name does not begin with the area by itself (`generic/001`, `idle-sigterm/1`).
    package static func path(area: String, name: String) -> String {
        name == area || name.hasPrefix(area + "/") ? name : "\(area)/\(name)"
    }

    /// The longest message: a line of a report. What is longer goes into a file of evidence.
    package static let longestMessage = 200

    /// A text as one line that is no longer than a message may be; what is cut off leaves an ellipsis.
    package static func line(_ text: String) -> String {
        let line = String(text.map { $0.isNewline ? " " : $0 })
        return line.count <= longestMessage ? line : line.prefix(longestMessage - 1) + "…"
    }
}
