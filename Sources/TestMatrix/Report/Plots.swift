import BenchCore
import Foundation

/// Plots as inline SVG. Colours are the page's own, so that they follow light and dark; each says in words what it shows.
enum Plots {
    /// Wall time over past runs: a line, its last point marked.
    static func times(_ points: [PastRuns.Point]) -> Markup {
        let width = 320.0, height = 84.0, left = 4.0, right = 8.0, top = 18.0, bottom = 16.0
        let most = max(points.map(\.seconds).max() ?? 0, 0.001)
        let step = points.count > 1 ? (width - left - right) / Double(points.count - 1) : 0
        func x(_ index: Int) -> Double { points.count > 1 ? left + step * Double(index) : width - right }
        func y(_ seconds: Double) -> Double { height - bottom - (height - top - bottom) * seconds / most }
        let last = points.last?.seconds ?? 0
        var svg = open(
            width, height,
            "Time over \(Format.count(points.count, "run")): \(Format.duration(last)) now, at most \(Format.duration(most))"
        )
        svg += """
            <line class="axis" x1="\(number(left))" x2="\(number(width - right))" y1="\(number(height - bottom))" \
            y2="\(number(height - bottom))"/>
            """
        let path = points.indices.map { "\(number(x($0))),\(number(y(points[$0].seconds)))" }.joined(separator: " ")
        svg += #"<polyline class="curve" points="\#(path)"/>"#
        for (index, point) in points.enumerated() {
            let isLast = index == points.count - 1
            svg += """
                <circle class="\(isLast ? "dot now" : "dot")" cx="\(number(x(index)))" cy="\(number(y(point.seconds)))" \
                r="\(number(isLast ? 3.5 : 2))"><title>\(point.run): \(Format.duration(point.seconds))</title></circle>
                """
        }
        svg += label(left, 11, "time, at most \(Format.duration(most))") + ends(points, width, height, left, right)
        return svg + "</svg>"
    }

    /// Results over past runs: a bar for each, failures on top.
    static func results(_ points: [PastRuns.Point]) -> Markup {
        let width = 320.0, height = 84.0, left = 4.0, right = 4.0, top = 18.0, bottom = 16.0
        let most = Double(max(points.map(\.counts.total).max() ?? 0, 1))
        let slot = min(14, (width - left - right) / Double(max(points.count, 1)))
        let failures = points.last?.counts.failures ?? 0
        let bad = points.filter { $0.counts.failures > 0 }.count
        var svg = open(
            width, height,
            "Results over \(Format.count(points.count, "run")): \(Format.count(failures, "failure")) now, \(bad) with failures"
        )
        for (index, point) in points.enumerated() {
            let x = width - right - slot * Double(points.count - index)
            var y = height - bottom
            svg += "<g><title>\(point.run): \(point.counts.text)</title>"
            for (style, count) in [
                ("skipped", point.counts.skipped), ("passed", point.counts.passed), ("failed", point.counts.failures),
            ] where count > 0 {
                // A single failure among a thousand passes must still be seen.
                let size = max((height - top - bottom) * Double(count) / most, style == "failed" ? 3 : 0.5)
                y -= size
                svg += """
                    <rect class="bar \(style)" x="\(number(x))" y="\(number(max(y, 2)))" \
                    width="\(number(max(slot - 1.5, 1)))" height="\(number(size))"/>
                    """
            }
            svg += "</g>"
        }
        svg +=
            label(left, 11, "results, failures in \(bad) of \(Format.count(points.count, "run"))")
            + ends(points, width, height, left, right)
        return svg + "</svg>"
    }

    /// A failure rate with its interval, on an axis from 0 to 100 %.
    static func interval(_ proportion: Proportion) -> Markup {
        let width = 140.0, height = 18.0, margin = 5.0
        let range = proportion.interval
        func x(_ share: Double) -> Double { margin + (width - 2 * margin) * share }
        var svg = open(width, height, "Failed \(proportion.text)")
        svg += """
            <line class="axis" x1="\(number(x(0)))" x2="\(number(x(1)))" y1="9" y2="9"/>\
            <rect class="range" x="\(number(x(range.lowerBound)))" y="5" rx="2" height="8" \
            width="\(number(max(2, x(range.upperBound) - x(range.lowerBound))))"/>\
            <circle class="dot bad" cx="\(number(x(proportion.share)))" cy="9" r="3.5"/>
            """
        return svg + "</svg>"
    }

    /// The verdicts of the last runs as a row of ticks, the latest to the right.
    static func strip(_ verdicts: [Verdict?]) -> Markup {
        let slot = 5.0, height = 16.0
        let bad = verdicts.filter { $0?.isFailure ?? false }.count
        let ran = verdicts.filter { $0 != nil && $0 != .skipped }.count
        var svg = open(
            slot * Double(verdicts.count), height, "Failed in \(bad) of the last \(Format.count(ran, "run"))")
        for (index, verdict) in verdicts.enumerated() {
            guard let verdict else { continue }
            let (y, size): (Double, Double) = verdict.isFailure ? (0, 16) : verdict == .skipped ? (7, 2) : (4, 8)
            svg += """
                <rect class="bar \(verdict.isFailure ? "failed" : verdict.rawValue)" x="\(number(slot * Double(index)))" \
                y="\(number(y))" width="3.5" height="\(number(size))"/>
                """
        }
        return svg + "</svg>"
    }

    static func open(_ width: Double, _ height: Double, _ label: String) -> Markup {
        """
        <svg role="img" aria-label="\(label)" width="\(number(width))" height="\(number(height))" \
        viewBox="0 0 \(number(width)) \(number(height))">
        """
    }

    static func label(_ x: Double, _ y: Double, _ text: String, end: Bool = false) -> Markup {
        let style = end ? "end" : nil
        return "<text\(attributes: ["x": number(x), "y": number(y), "class": style])>\(text)</text>"
    }

    /// The days of the first and the last run.
    private static func ends(
        _ points: [PastRuns.Point], _ width: Double, _ height: Double, _ left: Double, _ right: Double
    ) -> Markup {
        guard let first = points.first, let last = points.last else { return "" }
        let end = label(width - right, height - 3, Format.day(last.date), end: true)
        return points.count > 1 ? label(left, height - 3, Format.day(first.date)) + end : end
    }

    /// At most one decimal.
    static func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
