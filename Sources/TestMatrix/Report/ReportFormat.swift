import Foundation

/// The formats of a report.
public enum ReportFormat: String, CaseIterable, Sendable {
    case text, markdown, json, junit, tap, ktap, kcidb, github, badge, html

    /// What it is called beside a run's evidence; nil if it is not written there: it is for a job's log, or for who asks for it.
    var fileName: String? {
        switch self {
        case .text: "report.txt"
        case .markdown: "report.md"
        case .json: "report.json"
        case .junit: "junit.xml"
        case .tap: "report.tap"
        case .ktap: "report.ktap"
        case .badge: "badge.svg"
        case .html: "report.html"
        case .kcidb, .github: nil
        }
    }
}
