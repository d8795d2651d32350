import Foundation

/// The formats of a report.
public enum ReportFormat: String, CaseIterable, Sendable {
    case text, markdown, json, junit, ktap, html
}
