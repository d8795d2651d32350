/// What became of one test on one transport. A skip names its reason and never counts as a pass.
public enum Verdict: String, Codable, Sendable, CaseIterable {
    case passed
    case failed
    /// Not run; the result's `message` names the missing condition.
    case skipped
    /// Did not end within its deadline and was ended by the bench.
    case hung
    /// The bench, the daemon or the machine died while it ran.
    case crashed

    /// Whether a run with this verdict in it has failed.
    public var isFailure: Bool { self == .failed || self == .hung || self == .crashed }
}
