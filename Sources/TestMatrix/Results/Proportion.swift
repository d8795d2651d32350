import Foundation

/// So many of so many, and what that says about the rate behind it.
public struct Proportion: Sendable, Hashable, Codable {
    public var count: Int
    public var total: Int

    public init(_ count: Int, of total: Int) {
        self.count = count
        self.total = total
    }

    /// The share seen; 0 of nothing.
    public var share: Double { total == 0 ? 0 : Double(count) / Double(total) }

    /// Wilson's score interval at 95 %: where the true rate lies. Unlike the plain normal interval it stays within 0…1 and says
    /// something for 0 of n and for few runs.
    public var interval: ClosedRange<Double> {
        guard total > 0 else { return 0...1 }
        let z = 1.959963984540054
        let n = Double(total)
        let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        // At the ends the formula is exact, rounding is not.
        return (count == 0 ? 0 : max(0, middle - half))...(count == total ? 1 : min(1, middle + half))
    }

    /// `3 of 40 (3–20 %)`.
    public var text: String {
        total == 0 ? "0 of 0" : "\(count) of \(total) (\(percent))"
    }

    /// The interval alone: `3–20 %`.
    public var percent: String {
        func number(_ value: Double) -> String {
            let percent = value * 100
            return percent > 0 && percent < 10 ? String(format: "%.1f", percent) : String(format: "%.0f", percent)
        }
        return number(interval.lowerBound) + "–" + number(interval.upperBound) + " %"
    }
}
