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

    /// - Parameter origin: who submits it, of ``ReportFormat/kcidb`` alone.
    public func text(_ format: ReportFormat, origin: String = KCIDBReport.usualOrigin) throws -> String {
        switch format {
        case .text: TextReport(report).text()
        case .markdown: MarkdownReport(report).text
        case .json: try JSONReport(report).text()
        case .junit: JUnitReport(report).text
        case .tap: TAPReport(report, .fourteen).text
        case .ktap: TAPReport(report, .kernel).text
        case .kcidb: try KCIDBReport(report, origin: origin).text()
        case .github: AnnotationReport(report).text
        case .badge: BadgeReport(report).text
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
        for format in ReportFormat.allCases {
            guard let name = format.fileName else { continue }
            // `junit.xml`, and `junit-2.xml` if one is not enough.
            let texts = format == .junit ? JUnitReport(report).documents : [try text(format)]
            for (index, text) in texts.enumerated() {
                let name = index == 0 ? name : name.replacing(".", with: "-\(index + 1).")
                try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
            }
        }
        return (folder + "/report.html", folder)
    }

    private var folder: String { output + "/" + report.run.folder }
}
