import Glibc

/// A ratio with its 95 % interval.
public struct RatioEstimate: Codable, Sendable, Hashable {
    public var value: Double
    public var low: Double
    public var high: Double
    /// Of the ratio's logarithm, over the drawn rounds.
    public var deviation: Double
    public var rounds: Int

    /// - Parameter drawn: what the ratio came to in each drawing, in order.
    init(value: Double, drawn: [Double], rounds: Int) {
        self.value = value
        self.rounds = rounds
        // A median of few rounds is itself one of few values: the interval holds it whatever was drawn.
        low = min(value, drawn[Int(0.025 * Double(drawn.count - 1))])
        high = max(value, drawn[Int((0.975 * Double(drawn.count - 1)).rounded(.up))])
        let logarithms = drawn.map { log($0) }
        let mean = logarithms.reduce(0, +) / Double(drawn.count)
        deviation = (logarithms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(drawn.count - 1)).squareRoot()
    }

    public var inverted: RatioEstimate {
        var result = self
        (result.value, result.low, result.high) = (1 / value, 1 / high, 1 / low)
        return result
    }

    /// Half of the interval, as a part of the ratio: what `--precision` asks for.
    public var precision: Double { (high - low) / 2 / value }

    /// How far it may be from 1, where no difference is seen.
    public var reach: Double { max(high - 1, 1 - low, 0) }

    /// Fewer rounds give no word: whatever lies in an order by chance, five do once in sixteen times.
    public static let fewestRounds = 5

    /// The error that is allowed in all words of a run together.
    static let risk = 0.01

    /// Whether the ratio differs from 1: its interval leaves 1 out, and so does a wider one, which allows for few rounds and for
    /// so many comparisons in one run. Of a hundred runs in which nothing differs, one says otherwise.
    public func differs(among comparisons: Int) -> Bool {
        guard rounds >= RatioEstimate.fewestRounds, low > 1 || high < 1 else { return false }
        let tail = RatioEstimate.risk / 2 / Double(max(1, comparisons))
        let few = (Double(rounds) / Double(rounds - 1)).squareRoot()
        let width = StudentT.quantile(exceededBy: tail, freedom: rounds - 1) * deviation * few
        return abs(log(value)) > width
    }

    /// What may be said of it, where more is better.
    public func word(among comparisons: Int) -> SpeedWord {
        if rounds < RatioEstimate.fewestRounds { return .tooFewRounds }
        return differs(among: comparisons) ? value > 1 ? .faster : .slower : .noDifference
    }
}
