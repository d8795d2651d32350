import Foundation
import Glibc
import TestMatrix
import Testing

/// Shards as schedulers start them, on stand-in suites.
@Suite(.serialized) struct FleetTests {
    @Test func aShardThatIsStartedAgainGoesOn() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady, "two": StandInMatrix.steady])
        try matrix.run("matrix", "--seed", "5", "--output", "whole")
        let plan = try matrix.run("matrix", "--plan", "--shards", "2", "--seed", "5", "--times", "whole")
        try plan.output.write(toFile: matrix.folder + "/plan.json", atomically: true, encoding: .utf8)
        let command = ["matrix", "--planned", "plan.json", "--shard", "auto", "--resume"]
        func arguments(_ index: Int) -> [String] { command + ["--output", "fleet/shard-\(index)"] }
        func environment(_ index: Int) -> [String: String] {
            ["SLURM_ARRAY_TASK_ID": "\(index)", "SLURM_ARRAY_TASK_COUNT": "1"]
        }
        var attempts = 0
        var status: Int32 = -1
        // Killed until it has come to its end.
        while attempts < 20 && status != 1 {
            let process = try matrix.start(arguments(1), environment: environment(1))
            if attempts < 3 {
                usleep(900_000)
                kill(process.processIdentifier, SIGKILL)
            }
            process.waitUntilExit()
            status = attempts < 3 ? -1 : process.terminationStatus
            attempts += 1
        }
        #expect(status == 1 && attempts == 4)
        let second = try matrix.start(arguments(2), environment: environment(2))
        second.waitUntilExit()
        let shard = try matrix.report("fleet/shard-1")
        #expect(shard.run.shard == "1/2" && shard.run.state == .finished)
        #expect(shard.cells.contains { $0.record.attempts > 1 })
        // Started once more, it has nothing to do and ends as it did.
        let again = try matrix.start(arguments(1), environment: environment(1))
        again.waitUntilExit()
        #expect(again.terminationStatus == 1)
        let store = try MatrixSession.store(in: matrix.folder + "/fleet/shard-1", mustExist: true)
        #expect(try store.runs().count == 1)

        let watched = try matrix.run("watch", "--store", "fleet")
        #expect(watched.status == 0)
        #expect(watched.output.components(separatedBy: "  done").count == 3, "\(watched.output)")
        for _ in 0..<2 {
            let merged = try matrix.run("report", "merge", "fleet/shard-1", "fleet/shard-2", "--output", "merged")
            #expect(merged.status == 1, "\(merged.output)")
        }
        #expect(StandInMatrix.essence(try matrix.report("merged")) == StandInMatrix.essence(try matrix.report("whole")))
        #expect(try MatrixSession.store(in: matrix.folder + "/merged").runs().count == 1)
    }

    @Test func mistakesAreTold() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        let plan = try matrix.run("matrix", "--plan", "--shards", "2", "--seed", "5")
        try plan.output.write(toFile: matrix.folder + "/plan.json", atomically: true, encoding: .utf8)
        for (arguments, words) in [
            (["matrix", "--shard", "auto"], "no scheduler says which shard this is"),
            (["matrix", "--shard", "1/3", "--planned", "plan.json"], "the plan has 2 shards"),
            (["matrix", "--planned", "plan.json"], "--planned goes with --shard"),
            (["matrix", "--shard", "1/2", "--resume"], "has to know the plan's seed"),
            (["matrix", "--shard", "1/2", "--planned", "plan.json", "--seed", "6"], "has the seed 5, not 6"),
            (
                ["matrix", "--shard", "1/2", "--planned", "plan.json", "--transport", "legacy"],
                "plan is of other settings"
            ),
            (["matrix", "--shard", "1/2", "--planned", "none"], "none cannot be read"),
            (["matrix", "--plan", "--times", "x"], "--times goes with --plan --shards N"),
            (["report", "--format", "kcidb", "--origin", "A B"], "--origin takes lower-case letters"),
            (["watch", "--store", "none"], "no shard has begun"),
        ] {
            let log = "\(matrix.folder)/log"
            let process = try matrix.start(arguments, output: log)
            process.waitUntilExit()
            #expect(process.terminationStatus != 0)
            let text = try String(contentsOfFile: log, encoding: .utf8)
            #expect(text.contains(words), "\(text)")
        }
    }

    @Test func theSiteIsMadeOfAllRuns() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        try matrix.run("matrix", "--seed", "5")
        let ended = try matrix.run("report", "site", "--to", "pages")
        #expect(
            ended.status == 0 && ended.output.contains("/pages/index.html"), "\(ended.output)")
        let page = try String(contentsOfFile: matrix.folder + "/pages/index.html", encoding: .utf8)
        #expect(page.contains(try matrix.report().run.id))
    }
}
