import LinuxSystem

/// A quotient of medians of what was measured in rounds, and how sure it is.
public struct MedianQuotient: Sendable {
    /// Series that were measured together: a round of all of them is drawn or none. What stood still or ran slow for one of them
    /// did so, most likely, for the others.
    public struct Together: Sendable {
        /// Series whose medians are multiplied.
        var above: [[Double]]
        /// Series by whose medians it is divided.
        var below: [[Double]]

        /// All series have as many rounds, and at least one.
        public init(above: [[Double]] = [], below: [[Double]] = []) {
            self.above = above
            self.below = below
        }

        var rounds: Int { (above + below).map(\.count).min() ?? 0 }

        fileprivate func quotient(of rounds: [Int]) -> Double {
            let above = above.reduce(1) { $0 * MedianQuotient.median(rounds.map(over: $1)) }
            return below.reduce(above) { $0 / MedianQuotient.median(rounds.map(over: $1)) }
        }
    }

    private let groups: [Together]

    public init(_ groups: [Together]) {
        self.groups = groups
    }

    /// Drawn so many times.
    private static let draws = 2000

    /// The quotient, with its interval by the bootstrap: the rounds are drawn again and again, with replacement.
    ///
    /// - Parameter seed: the same seed gives the same interval.
    /// - Returns: nil if there is no round.
    public func estimate(seed: UInt64) -> RatioEstimate? {
        guard let rounds = groups.map(\.rounds).min(), rounds > 0 else { return nil }
        let value = groups.reduce(1) { $0 * $1.quotient(of: Array(0..<$1.rounds)) }
        var random = SplitMix64(seed: seed)
        let drawn = (0..<MedianQuotient.draws).map { _ in
            groups.reduce(1) { product, group in
                product * group.quotient(of: (0..<group.rounds).map { _ in random.below(group.rounds) })
            }
        }.sorted()
        return RatioEstimate(value: value, drawn: drawn, rounds: rounds)
    }

    public static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

extension [Int] {
    fileprivate func map(over series: [Double]) -> [Double] { map { series[$0] } }
}
