import BenchCore

/// A run's findings as GitHub's workflow commands: printed by a step, they become annotations of the job.
///
/// GitHub shows ten errors of a step and drops the others, so the tenth says how many there are.
public struct AnnotationReport {
    private let report: RunReport
    /// GitHub's, of each kind and step.
    private static let limit = 10
    /// Characters of a message: what an annotation shows without being unfolded.
    private static let longest = 500

    public init(_ report: RunReport) {
        self.report = report
    }

    public var text: String {
        let open = report.findings.filter { $0.acceptance == nil }
        var errors = open.map { finding in
            (
                title: "\(finding.worst.rawValue): \(finding.name.suite)/\(finding.name.check)",
                message: "\(finding.places[0].message)\n\(finding.extent): \(TextReport.list(finding.tests, 3))"
            )
        }
        let unfinished = report.unfinished
        if !unfinished.isEmpty {
            let names = report.missingShards.isEmpty ? unfinished.map(\.record.cell.key) : report.missingShards
            errors.append(("not run", TextReport.list(names)))
        }
        if errors.count > AnnotationReport.limit {
            let rest = errors.count - (AnnotationReport.limit - 1)
            errors.removeLast(rest)
            errors.append(("and more", "\(rest) more: see the report"))
        }
        let lines = errors.map { command("error", $0.title, $0.message) }
        return (lines + [command("notice", "fstestkit", TextReport.summary(report))]).map { $0 + "\n" }.joined()
    }

    private func command(_ kind: String, _ title: String, _ message: String) -> String {
        let title = escaped(String(title.prefix(200))).replacing(":", with: "%3A").replacing(",", with: "%2C")
        return "::\(kind) title=\(title)::\(escaped(String(message.prefix(AnnotationReport.longest))))"
    }

    private func escaped(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }
}
