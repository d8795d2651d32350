import LinuxSystem
import Testing

@testable import BenchCore

/// What the bench says of numbers, and how sure it is.
@Suite struct BootstrapTests {
    /// Rounds of two subjects whose speeds differ by a factor, with noise of so many percent, part of it common to both.
    private func rounds(_ count: Int, factor: Double, noise: Double, seed: UInt64) -> (own: [Double], other: [Double]) {
        var random = SplitMix64(seed: seed)
        func wobble() -> Double { 1 + noise * (Double(random.below(2001)) / 1000 - 1) }
        var (own, other): ([Double], [Double]) = ([], [])
        for _ in 0..<count {
            let common = wobble()
            own.append(1000 * factor * common * wobble())
            other.append(1000 * common * wobble())
        }
        return (own, other)
    }

    private func estimate(_ rounds: (own: [Double], other: [Double]), seed: UInt64 = 1) throws -> RatioEstimate {
        try #require(MedianQuotient([.init(above: [rounds.own], below: [rounds.other])]).estimate(seed: seed))
    }

    @Test func theMedianIsTheMiddle() {
        #expect(MedianQuotient.median([3, 1, 2]) == 2)
        #expect(MedianQuotient.median([4, 1, 2, 3]) == 2.5)
        #expect(MedianQuotient.median([]).isNaN)
    }

    @Test func theSameSeedGivesTheSameInterval() throws {
        let rounds = rounds(9, factor: 0.9, noise: 0.05, seed: 7)
        #expect(try estimate(rounds) == estimate(rounds))
        #expect(try estimate(rounds, seed: 1) != estimate(rounds, seed: 2))
        #expect(MedianQuotient([.init(above: [[]], below: [[]])]).estimate(seed: 1) == nil)
    }

    /// Of 95 % intervals, about 95 of 100 hold the truth.
    @Test func theIntervalHoldsTheTruthAsOftenAsItSays() throws {
        let held = try (0..<60).filter { seed in
            let estimate = try estimate(rounds(15, factor: 0.9, noise: 0.1, seed: UInt64(seed)), seed: UInt64(seed))
            return (estimate.low...estimate.high).contains(0.9)
        }.count
        #expect((52...60).contains(held), "\(held) of 60")
    }

    @Test func whatDoesNotDifferIsHardlyEverSaidTo() throws {
        for count in [5, 7, 15] {
            let said = try (0..<40).filter { seed in
                let rounds = rounds(count, factor: 1, noise: 0.1, seed: UInt64(seed))
                return try estimate(rounds, seed: UInt64(seed)).differs(among: 1)
            }.count
            #expect(said <= 2, "\(said) of 40 with \(count) rounds")
        }
    }

    @Test func fivePercentAreSeen() throws {
        let estimate = try estimate(rounds(15, factor: 0.95, noise: 0.02, seed: 3))
        #expect(estimate.word(among: 1) == .slower)
        #expect(estimate.inverted.word(among: 1) == .faster)
    }

    @Test func fewRoundsAndManyComparisonsAreAllowedFor() throws {
        let clear = rounds(15, factor: 0.5, noise: 0.05, seed: 3)
        #expect(try estimate(clear).word(among: 200) == .slower)
        let few = (own: Array(clear.own.prefix(4)), other: Array(clear.other.prefix(4)))
        #expect(try estimate(few).word(among: 1) == .tooFewRounds)
        let narrow = rounds(9, factor: 0.96, noise: 0.03, seed: 5)
        #expect(try estimate(narrow).high < 1)
        #expect(
            try estimate(narrow).word(among: 1000) == .noDifference, "the interval shows what the words may not say yet"
        )
        #expect(try estimate(rounds(9, factor: 1, noise: 0.03, seed: 5)).word(among: 1) == .noDifference)
    }

    /// From a table.
    @Test(arguments: [(4, 0.025, 2.776), (1, 0.025, 12.706), (9, 0.005, 3.250), (30, 0.05, 1.697), (14, 0.0005, 4.140)])
    func studentsQuantilesAreRight(_ freedom: Int, _ tail: Double, _ expected: Double) {
        #expect(abs(StudentT.quantile(exceededBy: tail, freedom: freedom) - expected) < 0.001)
    }
}
