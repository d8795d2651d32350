import Testing

@testable import BenchCore

@Suite struct SpeedRecordTests {
    /// A reference and a subject that is half as fast.
    private func record(rounds: Int, disturbed: Set<Int> = []) -> SpeedRecord {
        var record = SpeedRecord(
            seed: 1, settings: "", subjects: [.init(name: "a", command: ["a"]), .init(name: "b", command: ["b"])],
            reference: 0,
            jobs: [.init(name: "job", place: "tmpfs", clients: 2, depth: 1, unit: "operations/s", summary: "")])
        for round in 0...rounds {
            for subject in [0, 1] {
                var trial = SpeedRecord.Trial(job: 0, subject: subject, round: round)
                let value = Double(1000 + 10 * round) / Double(subject + 1)
                trial.value = disturbed.contains(round) ? 1 : value
                trial.disturbance = disturbed.contains(round) ? 0.4 : 0.02
                trial.operations = 1000
                trial.costs = SpeedRecord.Costs()
                trial.costs?.daemonUser = 2000
                if round == 0 {
                    trial.counts = SpeedRecord.RequestCounts()
                    trial.counts?.requests = 2000
                    trial.counts?.ringCommands = subject == 0 ? 1990 : 0
                    trial.counts?.wakeUps = 500
                }
                record.trials.append(trial)
            }
        }
        return record
    }

    @Test func theWarmUpCountsForNothingButReasons() throws {
        let result = record(rounds: 6).result(job: 0, subject: 1)
        #expect(result.rounds == [1, 2, 3, 4, 5, 6])
        #expect(result.median == 517.5)
        #expect(result.ratio?.value == 0.5)
        #expect(result.word == .slower)
        let costs = try #require(record(rounds: 6).costs(job: 0, subject: 0))
        #expect(costs.requestsPerOperation == 2)
        #expect(costs.daemonUser == 2)
        #expect(costs.daemonForRequest == 1)
        #expect(costs.wakeUps == 0.25)
        #expect(costs.interrupts == nil)
        #expect(costs.way == "ring")
        #expect(record(rounds: 6).costs(job: 0, subject: 1)?.way == "/dev/fuse")
    }

    @Test func aDisturbedRoundIsLeftOut() {
        let result = record(rounds: 6, disturbed: [3]).result(job: 0, subject: 1)
        #expect(result.rounds == [1, 2, 4, 5, 6])
        #expect(result.disturbedRounds == [3])
        #expect(result.word == .slower)
    }

    @Test func whereTooManyAreDisturbedNothingIsSaid() {
        let result = record(rounds: 6, disturbed: [2, 3]).result(job: 0, subject: 1)
        #expect(result.rounds.count == 6)
        #expect(result.isDisturbed && result.word == .disturbed)
    }

    /// A plain directory beside mounts takes no part of the error that is allowed to all words.
    @Test func thePlainDirectoryIsARuler() {
        var record = record(rounds: 6)
        record.subjects[1].command = []
        #expect(record.result(job: 0, subject: 1).word == .ruler)
        #expect(record.result(job: 0, subject: 1).ratio?.value == 0.5)
        record.reference = 1
        #expect(record.result(job: 0, subject: 0).word == .faster)
        record.reference = 0
        record.jobs.append(record.jobs[0])
        record.subjects.append(record.subjects[0])
        #expect(record.comparisons == 2)
    }

    @Test func fewRoundsGiveNoWord() {
        #expect(record(rounds: 4).result(job: 0, subject: 1).word == .tooFewRounds)
        #expect(record(rounds: 4).result(job: 0, subject: 0).word == .reference)
    }

    @Test(
        arguments: [
            (18059.2, "18,059"), (1_234_567, "1,234,567"), (99.94, "99.9"), (99.96, "100"), (9.994, "9.99"),
            (10.04, "10.0"),
            (0.5, "0.50"), (.nan, "–"),
        ] as [(Double, String)])
    func speedsHaveThreeDigits(_ value: Double, _ text: String) {
        #expect(SpeedText.speed(value) == text)
    }

    @Test func decimalsAreRounded() {
        #expect(SpeedText.fixed(0.996, 2) == "1.00")
        #expect(SpeedText.fixed(1.05, 2) == "1.05")
        #expect(SpeedText.fixed(-0.25, 2) == "−0.25")
        #expect(SpeedText.fixed(2.5, 0) == "3")
        #expect(SpeedText.percent(0.034) == "3 %")
        #expect(SpeedText.percent(0.004) == "0.4 %")
    }
}
