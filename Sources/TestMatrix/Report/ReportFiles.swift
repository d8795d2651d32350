import Foundation

/// A run's reports, as text or as files beside its evidence.
public struct ReportFiles {
    private let report: RunReport
    private let store: Store
    private let output: String

    /// - Parameter output: the folder that holds the store and the runs.
    public init(_ report: RunReport, store: Store, output: String) {
        self.report = report
        self.store = store
        self.output = output
    }

    public func text(_ format: ReportFormat) throws -> String {
        switch format {
        case .text: TextReport(report).text()
        case .markdown: MarkdownReport(report).text
        case .json: try JSONReport(report).text()
        case .junit: JUnitReport(report).text
        case .ktap: KTAPReport(report).text
        case .html:
            try PageReport(
                report, past: PastRuns(before: report, store: store), evidence: EvidenceFiles(folder: folder)
            ).text
        }
    }

    /// Writes all formats into the run's folder.
    ///
    /// - Returns: where the page is.
    public func write() throws -> (page: String, folder: String) {
        for (format, name) in [
            (ReportFormat.text, "report.txt"), (.markdown, "report.md"), (.json, "report.json"), (.junit, "junit.xml"),
            (.ktap, "report.ktap"), (.html, "report.html"),
        ] {
            try text(format).write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
        }
        return (folder + "/report.html", folder)
    }

    private var folder: String { output + "/" + report.run.folder }
}
