import BenchCore

/// A run as a badge: an SVG image that a README shows, with nothing to fetch.
public struct BadgeReport {
    private let report: RunReport

    public init(_ report: RunReport) {
        self.report = report
    }

    public var text: String {
        let name = "fstestkit"
        let (words, color): (String, String) =
            switch report.standing {
            case .passed: ("\(report.counts.passed) passed", "#1c7c3c")
            case .failed: ("\(report.counts.failures) of \(report.counts.executed) failed", "#b3202c")
            case .unfinished: ("not finished", "#8a5a00")
            case .empty, .leftOut: ("nothing ran", "#5a6572")
            }
        let (left, right) = (BadgeReport.width(name), BadgeReport.width(words))
        let badge: Markup = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(left + right)" height="20" role="img" \
            aria-label="\(name): \(words)"><title>\(name): \(words)</title>\
            <clipPath id="r"><rect width="\(left + right)" height="20" rx="3"/></clipPath>\
            <g clip-path="url(#r)"><rect width="\(left)" height="20" fill="#3b434c"/>\
            <rect x="\(left)" width="\(right)" height="20" fill="\(color)"/></g>\
            <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">\
            \(label(name, left / 2, left - 10))\(label(words, left + right / 2, right - 10))</g></svg>

            """
        return badge.text
    }

    /// Whatever font there is, the text keeps to the width that was left for it.
    private func label(_ text: String, _ middle: Int, _ width: Int) -> Markup {
        #"<text x="\#(middle)" y="14" textLength="\#(width)">\#(text)</text>"#
    }

    /// Of a text in Verdana at 11 pixels, about, with its margins.
    private static func width(_ text: String) -> Int {
        10 + text.reduce(0) { $0 + ("fijlrt1 ".contains($1) ? 5 : "mw".contains($1) ? 10 : 7) }
    }
}
