/// How a session ended.
public struct StopReport: Sendable {
    /// Why it stopped.
    public let cause: StopCause
    /// What did not end in time; empty after a clean stop.
    public let leftovers: [String]

    /// A clean stop, for whatever reason but a failure.
    public var isClean: Bool {
        if case .failure = cause { return false }
        return leftovers.isEmpty
    }
}
