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

    public init(
        suite: String, target: String, area: String, name: String, verdict: Verdict, seconds: Double,
        message: String = "", evidence: [String] = []
    ) {
        self.suite = suite
        self.target = target
        self.area = area
        self.name = name
        self.verdict = verdict
        self.seconds = seconds
        self.message = message
        self.evidence = evidence
    }
}
