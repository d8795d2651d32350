import Foundation

/// Weeks as inline SVG: one path for all of a kind, so that hundreds of them weigh little.
enum TrendPlots {
    /// Each week's share of failures as a bar from the bottom, the worst week's as high as the row and none too small to be seen; a tick
    /// where all passed.
    static func failures(_ weeks: [Int: Proportion], over range: ClosedRange<Int>, height: Double = 18) -> Markup {
        let slot = 5.0
        var good = "", bad = ""
        var total = Proportion(0, of: 0)
        let most = range.compactMap { weeks[$0]?.share }.max() ?? 0
        for (index, week) in range.enumerated() {
            guard let share = weeks[week], share.total > 0 else { continue }
            total.count += share.count
            total.total += share.total
            let x = Plots.number(slot * Double(index) + 2)
            if share.count == 0 {
                good += "M\(x) \(Plots.number(height))v-3"
            } else {
                bad += "M\(x) \(Plots.number(height))v-\(Plots.number(max(4, share.share / most * height)))"
            }
        }
        let svg = Plots.open(
            slot * Double(range.count), height,
            "Failed \(total.count) of \(total.total) in \(Format.count(range.count, "week"))")
        return svg + #"<path class="week passed" d="\#(good)"/><path class="week failed" d="\#(bad)"/></svg>"#
    }

    /// A value for each week, from 0 to the largest; a week without one leaves a gap.
    static func values(_ weeks: [Int: Double], over range: ClosedRange<Int>, _ text: (Double) -> String) -> Markup {
        let width = 320.0, height = 84.0, left = 4.0, right = 8.0, top = 18.0, bottom = 16.0
        let most = max(weeks.values.max() ?? 0, .leastNonzeroMagnitude)
        let step = range.count > 1 ? (width - left - right) / Double(range.count - 1) : 0
        func place(_ week: Int, _ value: Double) -> (String, String) {
            (
                Plots.number(left + step * Double(week - range.lowerBound)),
                Plots.number(height - bottom - (height - top - bottom) * value / most)
            )
        }
        var path = "", dots: Markup = ""
        for week in range {
            guard let value = weeks[week] else { continue }
            let (x, y) = place(week, value)
            path += (weeks[week - 1] == nil ? "M" : "L") + "\(x) \(y)"
            let day = Format.day(Trends.monday(of: week))
            dots += #"<circle class="dot" cx="\#(x)" cy="\#(y)" r="2"><title>\#(day): \#(text(value))</title></circle>"#
        }
        let last = range.reversed().lazy.compactMap { weeks[$0] }.first ?? 0
        var svg = Plots.open(width, height, "Last \(text(last)), at most \(text(most))")
        svg += #"<line class="axis" x1="4" x2="312" y1="68" y2="68"/><path class="curve" d="\#(path)"/>\#(dots)"#
        svg += Plots.label(left, 11, "\(text(last)), at most \(text(most))")
        svg += Plots.label(left, height - 3, Format.day(Trends.monday(of: range.lowerBound)))
        return svg + Plots.label(width - right, height - 3, Format.day(Trends.monday(of: range.upperBound)), end: true)
            + "</svg>"
    }
}
