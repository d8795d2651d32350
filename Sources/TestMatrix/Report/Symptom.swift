import BenchCore

/// A failure that is sought, as `git bisect run` wants to know: whether a run shows it.
public struct Symptom: Sendable {
    /// What a run says of it.
    public enum Answer: Equatable, Sendable {
        /// It is there: the finding.
        case seen(String)
        case absent
        /// It cannot be told, and why.
        case unknown(String)
    }

    /// An oracle's letter, or a part of an oracle's name, of a message or of a test's name; nil for any failure.
    private let text: String?

    public init(_ text: String?) {
        self.text = text?.lowercased()
    }

    public func answer(of report: RunReport) -> Answer {
        let failures = report.cells.flatMap(\.results).filter(\.verdict.isFailure)
        // A kernel that does not boot is no answer to what it does when it runs.
        let boots = failures.first { ($0.area, $0.name) == ("guest", "boots") }
        if let boots { return .unknown(boots.message) }
        for finding in report.findings where finding.acceptance == nil {
            if let text, !matches(finding, text) { continue }
            return .seen(finding.name.description)
        }
        if !report.cells.contains(where: { $0.counts.executed > 0 }) { return .unknown("nothing was run") }
        // What ended too early has not had the time to show it.
        let unfinished = report.cells.first { $0.record.wasRun && $0.standing == .unfinished }
        if let unfinished { return .unknown("\(unfinished.record.cell.key) is not finished") }
        let other = failures.first { [.crashed, .hung].contains($0.verdict) }
        if let other { return .unknown("another failure: \(other.path): \(other.message)") }
        return .absent
    }

    private func matches(_ finding: Finding, _ text: String) -> Bool {
        let check = finding.name.check.lowercased()
        if text.count == 1 { return check.split(separator: " ").first == text[...] }
        let texts = [finding.name.description] + finding.tests + finding.places.map(\.message)
        return texts.contains { $0.lowercased().contains(text) }
    }
}
