import Testing

@testable import BenchCore

/// What is told from equal rounds: growth without end, and what is none.
@Suite struct TrendTests {
    private static let round = 2000

    private func isLeak(memory: [Int]) -> Bool {
        Trend("memory", memory.map { $0 << 10 }, per: TrendTests.round).isGrowing
    }

    @Test func whatGrowsWithEachRoundIsALeak() {
        #expect(isLeak(memory: [1000, 1200, 1400, 1600, 1800, 2000, 2200]), "100 bytes an operation")
        #expect(isLeak(memory: [1000, 1150, 1400, 1560, 1830, 1990, 2210]), "in lots")
        #expect(Trend("threads", [4, 5, 6, 7, 8, 9, 10]).isGrowing)
        #expect(Trend("threads", [4, 5, 6, 7, 7, 8, 9]).isGrowing)
    }

    @Test func whatGrowsOnceIsNone() {
        #expect(!isLeak(memory: [1000, 1000, 1000, 9000, 9000, 9000, 9000]), "a table that doubled")
        #expect(!isLeak(memory: [1000, 5000, 7000, 8000, 8100, 8100, 8100]), "buffers that are touched at last")
        #expect(!isLeak(memory: [1000, 1016, 1004, 1020, 1012, 1008, 1024]), "pages that come and go")
        #expect(!isLeak(memory: [1000, 1010, 1020, 1030, 1040, 1050, 1060]), "5 bytes an operation")
        #expect(!Trend("threads", [4, 4, 10, 10, 10, 10, 10]).isGrowing)
        #expect(!Trend("threads", [4, 6, 4, 6, 4, 6, 4]).isGrowing)
        #expect(!Trend("threads", [4, 4, 4, 4, 4, 4, 4]).isGrowing)
    }

    @Test func theIntervalHoldsTheSlope() {
        let trend = Trend("memory", [0, 100, 210, 290, 400, 510, 600], per: 1)
        #expect(trend.interval.contains(100) && trend.interval.lowerBound > 90 && trend.interval.upperBound < 110)
    }

    @Test func aPaceStretchesAndNeverShortens() {
        #expect(Pace(factor: 3)(.seconds(2)) == .seconds(6))
        #expect(Pace(factor: 0.1)(.seconds(2)) == .seconds(2))
        #expect(Pace.measured().factor >= 1)
    }
}
