import BenchCore
import Testing

@testable import TestMatrix

@Suite struct ComparisonTests {
    private func compare(_ old: [TestResult], _ new: [TestResult]) throws -> Comparison {
        let folder = try TemporaryFolder()
        let store = try folder.store()
        return Comparison(
            from: try store.record(.some("old"), old), to: try store.record(.some("new", day: 1), new))
    }

    @Test func everyChangeHasItsPlace() throws {
        let comparison = try compare(
            [
                .some("a", "regresses"), .some("a", "fixed", .failed), .some("a", "stays bad", .hung),
                .some("a", "is skipped now"), .some("a", "is run now", .skipped), .some("a", "vanishes"),
                .some("a", "slow", seconds: 1), .some("a", "fast", seconds: 4), .some("a", "tiny", seconds: 0.01),
            ],
            [
                .some("a", "regresses", .failed, message: "why", evidence: ["log"]), .some("a", "fixed"),
                .some("a", "stays bad", .failed), .some("a", "is skipped now", .skipped), .some("a", "is run now"),
                .some("a", "new and bad", .crashed), .some("a", "slow", seconds: 2.5), .some("a", "fast", seconds: 1),
                .some("a", "tiny", seconds: 0.1),
            ])
        #expect(comparison.regressions.map(\.name) == ["new and bad", "regresses"])
        #expect(comparison.regressions[1].evidence == ["log"])
        #expect(comparison.fixes.map(\.name) == ["fixed"])
        #expect(comparison.stillFailing.map(\.name) == ["stays bad"])
        #expect(comparison.lost.map(\.name) == ["is skipped now", "vanishes"])
        #expect(comparison.gained.map(\.name) == ["is run now"])
        #expect(comparison.slower.map(\.name) == ["slow"])
        #expect(comparison.faster.map(\.name) == ["fast"])
        #expect(comparison.common == 8)
        #expect(comparison.hasRegression)
    }

    @Test func aSquareThatWasNotRunIsNoFix() throws {
        let comparison = try compare(
            [.some("a", "x", .failed), .some("a", "x", target: "uring-single")], [.some("a", "x")])
        #expect(comparison.onlyOld == ["correctness/uring-single"])
        #expect(comparison.lost.isEmpty)
        #expect(comparison.fixes.count == 1)
        #expect(!comparison.hasRegression)
    }

    @Test func theWorstRepetitionCounts() throws {
        let comparison = try compare(
            [.some("a", "x")], [.some("a", "x"), .some("a", "x", .failed, message: "second"), .some("a", "x")])
        #expect(comparison.regressions.map(\.message) == ["second"])
    }

    @Test func aScenariosCyclesAreOneTest() throws {
        let comparison = try compare(
            [.some("a", "a/1", .failed), .some("a", "a/2"), .some("a", "b/3")],
            [.some("a", "a/1"), .some("a", "a/2", .failed), .some("a", "b/3", .failed)])
        #expect(comparison.stillFailing.map(\.name) == ["a"])
        #expect(comparison.regressions.map(\.name) == ["b/3"])
    }

    @Test func theTextNamesWhatChanged() throws {
        let text = ComparisonReport(try compare([.some("a", "x")], [.some("a", "x", .failed, message: "m")])).text
        #expect(text.contains("correctness/legacy a/x: passed → failed"))
        #expect(text.hasSuffix("1 regression\n"))
    }
}
