import BenchCore
import Foundation

/// The plots of the bench's page, as inline SVG in the page's own colours; each says in words what it shows.
enum SpeedPlots {
    /// From this to its inverse on a logarithmic axis; what lies beyond ends in an arrow.
    private static let widest = 4.0

    /// A ratio as a bar from 1 to the left or to the right, with its interval.
    static func ratio(_ ratio: RatioEstimate, _ style: String, _ words: String) -> Markup {
        let width = 300.0, height = 22.0, margin = 8.0
        func x(_ value: Double) -> Double {
            let place = log(min(max(value, 1 / widest), widest)) / log(widest)
            return margin + (width - 2 * margin) * (place + 1) / 2
        }
        var svg = Plots.open(width, height, words)
        for tick in [0.5, 1, 2] {
            svg += #"<line\#(line(x(tick), 0, x(tick), height)) class="\#(tick == 1 ? "axis one" : "axis")"/>"#
        }
        let (from, to) = (min(x(1), x(ratio.value)), max(x(1), x(ratio.value)))
        svg += """
            <rect class="bar \(style)" x="\(Plots.number(from))" y="5" width="\(Plots.number(max(1, to - from)))" height="12"/>
            """
        if ratio.value > widest || ratio.value < 1 / widest {
            let (tip, back) = ratio.value > 1 ? (width - 1, width - 7) : (1.0, 7.0)
            let points = "\(Plots.number(tip)),11 \(Plots.number(back)),5 \(Plots.number(back)),17"
            return svg + #"<polygon class="bar \#(style)" points="\#(points)"/></svg>"#
        }
        svg += "<g class=\"whisker\"><line\(line(x(ratio.low), 11, x(ratio.high), 11))/>"
        for end in [ratio.low, ratio.high] { svg += "<line\(line(x(end), 7, x(end), 15))/>" }
        return svg + "</g></svg>"
    }

    /// The speed of each subject over the number of clients.
    static func scaling(_ curves: [Curve], _ words: String) -> Markup {
        let width = 340.0, height = 190.0, left = 52.0, right = 10.0, top = 10.0, bottom = 26.0
        let points = curves.flatMap(\.points)
        let most = max(points.map(\.high).max() ?? 1, 1e-9)
        let clients = Set(points.map(\.clients)).sorted()
        let (least, greatest) = (log2(Double(clients.first ?? 1)), log2(Double(clients.last ?? 1)))
        func x(_ clients: Int) -> Double {
            let share = greatest > least ? (log2(Double(clients)) - least) / (greatest - least) : 0.5
            return left + (width - left - right) * share
        }
        func y(_ value: Double) -> Double { height - bottom - (height - top - bottom) * value / most }
        var svg = Plots.open(width, height, words)
        for share in [0, 0.5, 1] {
            svg += #"<line\#(line(left, y(most * share), width - right, y(most * share))) class="axis"/>"#
            svg += Plots.label(left - 5, y(most * share) + 4, SpeedText.speed(most * share), end: true)
        }
        for number in clients { svg += Plots.label(x(number) - 3, height - 9, "\(number)") }
        for curve in curves {
            let path = curve.points.map { "\(Plots.number(x($0.clients))),\(Plots.number(y($0.value)))" }
            svg += #"<polyline class="line \#(curve.style)" points="\#(path.joined(separator: " "))"/>"#
            for point in curve.points {
                svg +=
                    #"<line\#(line(x(point.clients), y(point.low), x(point.clients), y(point.high))) class="line \#(curve.style)"/>"#
                svg += """
                    <circle class="fill \(curve.style)" cx="\(Plots.number(x(point.clients)))" \
                    cy="\(Plots.number(y(point.value)))" r="3"/>
                    """
            }
        }
        return svg + "</svg>"
    }

    struct Curve {
        struct Point {
            let clients: Int
            let value, low, high: Double
        }
        let style: String
        let points: [Point]
    }

    /// Percentiles of a latency on a logarithmic axis that several of these share.
    static func latency(_ latency: SpeedRecord.Latency, in range: ClosedRange<Double>, _ style: String, _ words: String)
        -> Markup
    {
        let width = 300.0, height = 18.0, margin = 6.0
        let span = max(log(range.upperBound / range.lowerBound), 1e-9)
        func x(_ value: Double) -> Double {
            margin + (width - 2 * margin) * log(max(value, range.lowerBound) / range.lowerBound) / span
        }
        var svg = Plots.open(width, height, words)
        svg += #"<line\#(line(margin, 9, width - margin, 9)) class="axis"/>"#
        svg += #"<line\#(line(x(latency.p50), 9, x(latency.p999), 9)) class="line \#(style)"/>"#
        for (value, radius) in [(latency.p50, 4.0), (latency.p99, 3.0), (latency.p999, 2.0)] {
            svg +=
                #"<circle class="fill \#(style)" cx="\#(Plots.number(x(value)))" cy="9" r="\#(Plots.number(radius))"/>"#
        }
        return svg + "</svg>"
    }

    /// Parts of a whole, one after the other; several of these share a scale.
    static func stack(_ parts: [(style: String, value: Double)], of most: Double, _ words: String) -> Markup {
        let width = 300.0, height = 16.0
        var svg = Plots.open(width, height, words)
        var x = 0.0
        for (style, value) in parts where value > 0 && most > 0 {
            let size = width * value / most
            svg += """
                <rect class="part \(style)" x="\(Plots.number(x))" y="1" width="\(Plots.number(size))" height="14"/>
                """
            x += size
        }
        return svg + "</svg>"
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Markup {
        #" x1="\#(Plots.number(x1))" y1="\#(Plots.number(y1))" x2="\#(Plots.number(x2))" y2="\#(Plots.number(y2))""#
    }
}
