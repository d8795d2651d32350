import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct HistoryTests {
    /// Values from Wilson's formula, worked out by hand with z = 1.96.
    @Test(arguments: [(0, 10, 0.0, 0.278), (1, 10, 0.018, 0.404), (3, 40, 0.026, 0.199), (10, 10, 0.722, 1.0)])
    func intervals(count: Int, total: Int, low: Double, high: Double) {
        let interval = Proportion(count, of: total).interval
        #expect(abs(interval.lowerBound - low) < 0.001)
        #expect(abs(interval.upperBound - high) < 0.001)
    }

    @Test func nothingSaysNothing() {
        #expect(Proportion(0, of: 0).interval == 0...1)
        #expect(Proportion(3, of: 40).text == "3 of 40 (2.6–20 %)")
    }

    @Test func sinceWhenAndHowOften() throws {
        let folder = try TemporaryFolder()
        let store = try folder.store()
        let verdicts: [(Verdict, Verdict)] = [
            (.passed, .passed), (.failed, .passed), (.passed, .passed), (.failed, .hung), (.skipped, .passed),
            (.failed, .passed),
        ]
        for (day, (legacy, ring)) in verdicts.enumerated() {
            try store.record(
                .some("run-\(day)", day: day, kernel: day < 3 ? "6.14.0" : "6.18.0"),
                [
                    .some("rename", "x", legacy), .some("rename", "x", ring, target: "uring-single"),
                    .some("rename", "good"),
                ])
        }
        let everFailed = try store.everFailed()
        #expect(everFailed.map(\.target) == ["legacy", "uring-single"])
        let legacy = try #require(everFailed.first)
        #expect(legacy.failures == Proportion(3, of: 5))
        #expect(legacy.skips == 1)
        #expect(legacy.standing == "failing now")
        // It passed in run 2; the skip in run 4 is no pass.
        #expect(legacy.failsSince?.run == "run-3")
        #expect(legacy.lastPass?.run == "run-2")
        #expect(everFailed[1].standing == "flaky")
        #expect(everFailed[1].lastFailure?.kernel == "6.18.0")
        #expect(try store.everFailed(target: "uring-single").count == 1)

        let name = try #require(try store.tests(matching: "rename/x").first)
        let kernels = try store.kernels(of: name, target: "legacy")
        #expect(kernels.map(\.kernel) == ["6.18.0", "6.14.0"])
        #expect(kernels.map(\.failures) == [Proportion(2, of: 2), Proportion(1, of: 3)])
        #expect(try store.occurrences(of: name, limit: 3).map(\.run) == ["run-5", "run-5", "run-4"])
        let good = try #require(try store.tests(matching: "good").first)
        #expect(try store.history(of: good).map(\.standing) == ["passing"])
    }

    @Test func kernelsOfOneRunAreKeptApart() throws {
        let folder = try TemporaryFolder()
        let store = try folder.store()
        let report = try reportOnKernels(store)
        #expect(report.columns == ["legacy", "6.18/legacy", "7.3/legacy"])
        #expect(report.machines.map(\.name) == ["6.18", "7.3"])
        #expect(report.cells.map(\.record.machine?.kernel) == [nil, "6.18.15", "7.3.4"])
        #expect(try store.everFailed().map(\.target) == ["7.3/legacy"])
        #expect(try store.everFailed().first?.failsSince?.kernel == "7.3.4")
        let name = try #require(try store.tests(matching: "kill/1").first)
        let kernels = try store.kernels(of: name)
        #expect(Set(kernels.map(\.kernel)) == ["6.18.0", "6.18.15", "7.3.4"])
        #expect(kernels.first { $0.kernel == "7.3.4" }?.failures == Proportion(1, of: 1))
        #expect(try store.kernels(of: name, target: "6.18/legacy").map(\.kernel) == ["6.18.15"])
        #expect(Set(try store.occurrences(of: name).map(\.kernel)) == ["6.18.0", "6.18.15", "7.3.4"])
        #expect(
            try store.expectedSeconds().keys.sorted() == [
                "stop-path/6.18/legacy", "stop-path/7.3/legacy", "stop-path/legacy",
            ])
        let past = try PastRuns(before: try reportOnKernels(store, "20260103-000000-0001", day: 1), store: store)
        #expect(past.groups["stop-path/7.3/legacy"]?.map(\.counts.crashed) == [1, 1])
    }
}
