/// A known finding of a daemon that shall not turn a run red, for a reason and for a time.
public struct Acceptance: Sendable, Hashable, Codable {
    /// ``FindingName`` as reports show it; or without the message, for whatever that check says.
    public var finding: String
    /// The target that it is accepted of; nil for all.
    public var target: String?
    public var reason: String
    /// The last day, in UTC, as `2027-03-31`; nil for ever.
    public var until: String?

    public init(finding: String, target: String? = nil, reason: String, until: String? = nil) {
        self.finding = finding
        self.target = target
        self.reason = reason
        self.until = until
    }

    /// Whether it is about this finding of this target.
    func covers(_ name: FindingName, on target: String) -> Bool {
        (self.target ?? target) == target && (finding == name.description || finding == "\(name.suite)/\(name.check)")
    }

    /// Whether it has run out.
    func isOver(on day: String) -> Bool { until.map { $0 < day } ?? false }

    /// `2027-03-31`, and a day that there is.
    static func isDay(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard text.count == 10, parts.count == 3, let month = parts[1], let day = parts[2], parts[0] != nil else {
            return false
        }
        return (1...12).contains(month) && (1...31).contains(day)
    }

    /// For people: the reason, and until when.
    public var words: String { reason + (until.map { ", until \($0)" } ?? "") }
}
