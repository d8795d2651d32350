import BenchCore
import Foundation
import Testing

@testable import TestMatrix

/// Runs of the bench in the store, their comparison and their page.
@Suite struct SpeedTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
    }

    /// Nine rounds around a value.
    private func rounds(_ value: Double) -> [Double] { (-4...4).map { value * (1 + 0.004 * Double($0)) } }

    private func result(
        _ value: Double, beside reference: Double? = 1000, unit: String = "operations/s", settings: String = "s",
        isDisturbed: Bool = false
    ) -> TestResult {
        var result = TestResult.some("tmpfs", "create × 8", suite: "bench")
        result.measurement = Measurement(
            unit: unit, isSpeed: unit != "instructions/request", values: rounds(value),
            reference: reference.map { .init(subject: "directory", values: rounds($0)) }, settings: settings,
            isDisturbed: isDisturbed)
        return result
    }

    private func compare(
        _ old: TestResult, _ new: TestResult, factor: Double = 1.05, kernel: String = "6.18.0"
    ) throws -> SpeedComparison {
        let before = try store.record(.some("old"), [old])
        let after = try store.record(.some("new", day: 1, kernel: kernel), [new])
        return SpeedComparison(from: before, to: after, factor: factor)
    }

    private func judgement(_ comparison: SpeedComparison) -> SpeedComparison.Judgement? {
        comparison.changes.count == 1 ? comparison.changes[0].judgement : nil
    }

    @Test func whatWasMeasuredIsKept() throws {
        let report = try store.record(.some("one"), [result(500)])
        #expect(report.cells[0].results[0].measurement == result(500).measurement)
    }

    @Test func slowerByMoreThanTheFactorIsARegression() throws {
        let comparison = try compare(result(500), result(450))
        #expect(judgement(comparison) == .regression && comparison.hasRegression)
        #expect(SpeedComparisonReport(comparison).text.contains("1 regression by a factor of 1.05"))
    }

    @Test func lessThanTheFactorIsNone() throws {
        #expect(judgement(try compare(result(500), result(490))) == .noChange)
    }

    @Test func fasterIsAnImprovement() throws {
        #expect(judgement(try compare(result(500), result(600))) == .improvement)
    }

    /// The machine became slower, and the daemon beside the directory did not.
    @Test func aSlowerMachineIsNoRegression() throws {
        #expect(judgement(try compare(result(500), result(250, beside: 500))) == .noChange)
    }

    @Test func onAnotherKernelOnlyRatiosCount() throws {
        let comparison = try compare(result(500), result(250, beside: 500), kernel: "7.3.0")
        #expect(comparison.differences == ["kernel"])
        #expect(comparison.changes[0].absolute == nil && judgement(comparison) == .noChange)
        #expect(
            SpeedComparisonReport(comparison).text.contains("another kernel: only ratios to a reference are compared"))
    }

    @Test func withoutAReferenceAnotherKernelCannotBeCompared() throws {
        #expect(
            judgement(try compare(result(500, beside: nil), result(250, beside: nil), kernel: "7.3.0"))
                == .notComparable)
    }

    @Test func otherSettingsAreComparedBesideTheReferenceAlone() throws {
        let comparison = try compare(result(500), result(450, settings: "t"))
        #expect(comparison.changes[0].absolute == nil && judgement(comparison) == .regression)
    }

    @Test func aDisturbedRunIsNoRegression() throws {
        let comparison = try compare(result(500), result(250, isDisturbed: true))
        #expect(judgement(comparison) == .disturbed)
        #expect(SpeedComparisonReport(comparison).text.contains("1 not judged"))
    }

    @Test func fourRoundsAreNotJudged() throws {
        var few = result(250)
        few.measurement?.values.removeLast(5)
        few.measurement?.reference?.values.removeLast(5)
        let comparison = try compare(result(500), few)
        #expect(judgement(comparison) == .tooFewRounds && comparison.unjudged == 1)
    }

    /// Nobody beside it makes a daemon ten times slower.
    @Test func noDisturbanceExcusesAFactorOfTen() throws {
        #expect(judgement(try compare(result(500), result(50, isDisturbed: true))) == .regression)
    }

    /// More instructions are worse, on whichever machine they were counted.
    @Test func moreInstructionsAreARegression() throws {
        let unit = "instructions/request"
        let comparison = try compare(
            result(35000, beside: nil, unit: unit), result(38000, beside: nil, unit: unit), factor: 1.03,
            kernel: "7.3.0")
        #expect(judgement(comparison) == .regression)
    }

    @Test func thePlainDirectoryIsNotJudged() throws {
        var old = result(500)
        var new = result(250)
        (old.target, new.target) = ("directory", "directory")
        #expect(try compare(old, new).changes.isEmpty)
    }

    static func record(words: String = "4 KiB reads") -> SpeedRecord {
        var record = SpeedRecord(
            seed: 3, settings: "0.4 s",
            subjects: [
                .init(name: "legacy", command: ["fstestkit"]), .init(name: "ring <&>", command: ["x"]),
                .init(name: "directory", command: []),
            ], reference: 0,
            jobs: [1, 8].map {
                .init(name: "randread-4k", place: "tmpfs", clients: $0, depth: 1, unit: "operations/s", summary: words)
            } + [.init(name: "git-status", place: "tmpfs", clients: 0, depth: 1, unit: "files/s", summary: "git")])
        record.jobs[2].obstacle = "there is no git"
        for round in 0...6 {
            for job in [0, 1] {
                for subject in 0...2 {
                    var trial = SpeedRecord.Trial(job: job, subject: subject, round: round)
                    trial.value = Double(1000 * (job + 1) + round) * [1, 0.8, 9][subject]
                    trial.operations = 1000
                    trial.disturbance = round == 2 ? 0.3 : 0
                    trial.latency = .init(p50: 20, p99: 100, p999: 900)
                    trial.costs = SpeedRecord.Costs()
                    trial.costs?.daemonUser = 1000
                    if round == 0 {
                        trial.counts = SpeedRecord.RequestCounts()
                        trial.counts?.requests = subject == 2 ? nil : 1000
                        trial.counts?.queues = subject == 1 ? [900, 100] : nil
                    }
                    record.trials.append(trial)
                }
            }
        }
        return record
    }

    @Test func theTableSaysWhatIsFasterAndWhatDisturbed() {
        let table = SpeedTable(SpeedTests.record())
        let lines = table.lines()
        #expect(lines[0] == "randread-4k × 1 (operations/s)")
        #expect(lines[1].hasPrefix("  legacy") && lines[1].hasSuffix("reference"))
        #expect(lines[2].contains("0.80 (0.80–0.80)") && lines[2].hasSuffix("slower"))
        #expect(lines[3].hasSuffix("ruler"))
        #expect(lines.last == "  left out: there is no git")
        #expect(table.summary.contains { $0.contains("rounds 2 (6 trials)") })
        #expect(SpeedRecord.ranges([1, 2, 3, 5, 7, 8]) == ["1–3", "5", "7–8"])
    }

    @Test func theMarkdownHasATableForEachFileSystem() {
        let text = SpeedMarkdown(SpeedTests.record()).text
        #expect(text.contains("| job | legacy | ring <&> | directory |"))
        #expect(text.contains("**0.80 (0.80–0.80) [1.00]**"))
    }

    @Test func thePageHoldsTextAsText() {
        let page = SpeedPage(SpeedTests.record(words: "<script>")).text
        #expect(!page.contains("<script>") && page.contains("&lt;script&gt;") && page.contains("ring &lt;&amp;&gt;"))
        for heading in ["Beside legacy", "With more clients", "Latency", "Requests by queue", "What was counted"] {
            #expect(page.contains(heading))
        }
        #expect(page.contains("not counted") && page.contains("90 %"))
    }
}
