import BenchCore
import Foundation
import Glibc
import LinuxSystem
import TestMatrix
import Testing

/// The matrix as a program, on stand-in suites: what it does when suites or it itself die.
@Suite(.serialized) struct MatrixTests {
    @Test func everyEndOfASuiteIsAnAnswer() throws {
        let matrix = try StandInMatrix([
            "good": "say_finished a x passed; echo some words >&2",
            "crashes": "say_finished a x passed; say_started a y; kill -SEGV $$",
            "silent": "exit 0",
            "refuses": "echo 'fstestkit: no such thing here' >&2; exit 69",
            "hangs": "say_started a z; sleep 60",
            "fails": "say_finished a x failed why evidence/log; exit 1",
        ])
        let ended = try matrix.run("matrix", "--transport", "legacy", "--timeout", "1.5")
        #expect(ended.status == 1, "\(ended.output)")
        let report = try matrix.report()
        let cells = Dictionary(uniqueKeysWithValues: report.cells.map { ($0.record.cell.suite, $0) })
        #expect(cells["good"]?.standing == .passed)
        #expect(cells["crashes"]?.results.map(\.verdict) == [.passed, .crashed])
        #expect(cells["crashes"]?.results.last?.name == "y")
        #expect(cells["crashes"]?.results.last?.message.contains("SIGSEGV after 1 result") == true)
        #expect(cells["silent"]?.results.map(\.message) == ["the suite ended without a result"])
        #expect(cells["refuses"]?.standing == .leftOut)
        #expect(cells["refuses"]?.record.reason == "no such thing here")
        #expect(cells["hangs"]?.results.map(\.verdict) == [.hung])
        #expect(cells["hangs"]?.results.first?.name == "z")
        #expect(cells["fails"]?.failures.map(\.evidence) == [["cells/fails.legacy/evidence/log"]])
        let log = try String(
            contentsOfFile: "\(matrix.folder)/fstestkit-results/\(report.run.folder)/cells/good.legacy/log",
            encoding: .utf8)
        #expect(log == "some words\n")
    }

    @Test func noResultOfASuiteCanBeLost() throws {
        let result =
            #"{"event":"finished","result":{"suite":"s","target":"t","area":"a","name":"x","verdict":"failed","seconds":0.1,"message":"","evidence":[]}}"#
        let lines: KeyValuePairs = [
            "not-utf8": (
                #"printf '{"event":"started","area":"a","name":"\377"}\n'"#,
                "line 2 of its events is no event: it is not UTF-8"
            ),
            "babbles": ("echo hello", "line 2 of its events is no event: it is no JSON: hello"),
            "no-field": ("echo '\(result.replacing(#""verdict":"failed","#, with: ""))'", "it has no 'verdict'"),
            "no-verdict": ("echo '\(result.replacing("failed", with: "FAILED"))'", "its 'result.verdict' cannot be"),
            "no-time": ("echo '\(result.replacing("0.1", with: "1e300"))'", "its 'result.seconds' cannot be"),
            "no-count": (#"echo '{"event":"planned","count":-5}'"#, "its 'count' cannot be"),
            "no-end": ("printf '%s' '\(result)'", "line 2 of its events has no end"),
            "fewer": (#"echo '{"event":"planned","count":2}'"#, "after 1 of the 2 results that it had planned"),
            "twice": ("say_finished a y passed", "it told of a/y twice"),
            "well": ("say_finished a x failed", "exit status 0 though 1 test failed"),
        ]
        for (name, (line, words)) in lines {
            let matrix = try StandInMatrix([name: "say_finished a y passed\n\(line)\nexit 0"])
            let ended = try matrix.run("matrix", "--transport", "legacy")
            #expect(ended.status == 1, "\(name): \(ended)")
            let cell = try #require(try matrix.report().cells.first)
            #expect(cell.record.state == .broken, "\(name)")
            #expect(cell.results.last?.message.contains(words) == true, "\(name): \(cell.results.last?.message ?? "")")
        }
    }

    @Test func killedTenTimesItEndsAsIfUndisturbed() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady, "two": StandInMatrix.steady])
        let calm = try matrix.run("matrix", "--seed", "5", "--output", "calm")
        #expect(calm.status == 1)
        var first = true
        for _ in 0..<10 {
            let begin = ["matrix", "--seed", "5", "--output", "killed"]
            let process = try matrix.start(first ? begin : ["matrix", "--resume", "--output", "killed"])
            usleep(useconds_t.random(in: 50_000...900_000))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            // A kill before the plan was written leaves nothing to resume.
            first = first && (try? matrix.report("killed")) == nil
        }
        let last = try matrix.run("matrix", "--resume", "--output", "killed")
        #expect(last.status == 1, "\(last.output)")
        let resumed = try matrix.report("killed")
        #expect(resumed.run.state == .finished)
        #expect(StandInMatrix.essence(resumed) == StandInMatrix.essence(try matrix.report("calm")))
        let store = try MatrixSession.store(in: matrix.folder + "/killed", mustExist: true)
        #expect(try store.integrityCheck() == "ok")
        #expect(try store.runs().count == 1)
        let again = try matrix.run("matrix", "--resume", "--output", "killed")
        #expect(again.output.contains("nothing to resume"))
    }

    @Test func aKilledBenchLeavesNoSuiteBehind() throws {
        let matrix = try StandInMatrix(["one": "say_started a x; sleep 600"])
        let process = try matrix.start(["matrix", "--transport", "legacy"])
        let deadline = Deadline(after: .seconds(20))
        func sleepers() -> Int {
            let pattern = "/proc"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: pattern)) ?? []
            return names.filter { name in
                let line = (try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8)) ?? ""
                return Int(name) != nil && line.contains(matrix.folder + "/one.sh")
            }.count
        }
        #expect(deadline.wait(for: { sleepers() == 1 }))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try "say_finished a x passed".write(toFile: matrix.folder + "/one.sh", atomically: true, encoding: .utf8)
        _ = try matrix.run("matrix", "--resume")
        #expect(sleepers() == 0)
    }

    @Test func interruptedItSaysHowToGoOn() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        let log = matrix.folder + "/interrupted.log"
        let process = try matrix.start(["matrix", "--seed", "5"], output: log)
        usleep(900_000)
        // Twice at once is one wish.
        kill(process.processIdentifier, SIGINT)
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(try String(contentsOfFile: log, encoding: .utf8).contains("matrix --resume"))
        #expect(try matrix.report().run.state == .interrupted)
        _ = try matrix.run("matrix", "--resume")
        #expect(try matrix.report().run.state == .finished)
        #expect(try matrix.report().counts.total == 90)
    }

    /// As a scheduler does whose time is up: every process is told, and the suite may be dead before the bench knows why.
    @Test func aSuiteThatDiesOfTheSameSignalIsInterrupted() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        let process = try matrix.start(["matrix", "--seed", "5", "--transport", "legacy"])
        let events = Deadline(after: .seconds(20))
        func suite() -> Int32? {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return names.lazy.compactMap { Int32($0) }.first { pid in
                (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8))?.contains(
                    matrix.folder + "/one.sh") ?? false
            }
        }
        #expect(events.wait(for: { suite() != nil }))
        usleep(200_000)
        kill(try #require(suite()), SIGTERM)
        usleep(200_000)
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationStatus == 143)
        #expect(try matrix.report().counts.crashed == 0)
        _ = try matrix.run("matrix", "--resume")
        #expect(try matrix.report().counts.total == 30)
    }

    @Test func twoShardsAtOnceMakeTheReportOfOneRun() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady, "two": StandInMatrix.steady])
        try matrix.run("matrix", "--seed", "5", "--output", "whole")
        let shards = try (1...2).map { index in
            try matrix.start(["matrix", "--seed", "5", "--shard", "\(index)/2", "--output", "part-\(index)"])
        }
        for shard in shards { shard.waitUntilExit() }
        let merged = try matrix.run("report", "merge", "part-1", "part-2", "--output", "merged")
        #expect(merged.status == 1, "\(merged.output)")
        let (one, other) = (try matrix.report("merged"), try matrix.report("whole"))
        #expect(StandInMatrix.essence(one) == StandInMatrix.essence(other))
        #expect(one.counts == other.counts)
        #expect(one.standing == other.standing)
        // The evidence came along.
        let log = "\(matrix.folder)/merged/\(one.run.folder)/\(one.cells[1].record.log)"
        #expect(FileManager.default.fileExists(atPath: log))
        let lonely = try matrix.run("report", "merge", "part-1", "--output", "lonely")
        #expect(lonely.status == 1)
        #expect(lonely.output.contains("not run: shard 2/2"), "\(lonely.output)")
        // What a merge lacks is no resume's to run, nor does a resume make it whole.
        let resumed = try matrix.run("matrix", "--resume", "--output", "lonely")
        #expect(resumed.status == 1, "\(resumed.output)")
        #expect(resumed.output.contains("lacks shard 2/2"), "\(resumed.output)")
        #expect(try matrix.report("lonely").run.state == .interrupted)
    }

    @Test func aRegressionIsFoundAndLedToItsEvidence() throws {
        let script = """
            mkdir -p "$2/evidence"
            say_finished rename x passed
            if [ -e broken ] && [ "$1" = uring-single ]; then
                echo "the proof" >"$2/evidence/y.log"
                say_finished rename y failed "expected 0, got EIO" evidence/y.log
                exit 1
            else
                say_finished rename y passed
            fi
            """
        let matrix = try StandInMatrix(["one": script])
        #expect(try matrix.run("matrix", "--baseline").status == 0)
        _ = FileManager.default.createFile(atPath: matrix.folder + "/broken", contents: nil)
        #expect(try matrix.run("matrix").status == 1)
        let report = try matrix.report()
        #expect(report.cells.filter { $0.standing == .failed }.map(\.record.cell.key) == ["one/uring-single"])
        let comparison = try matrix.run("compare", "--baseline")
        #expect(comparison.status == 1)
        #expect(comparison.output.contains("one/uring-single rename/y: passed → failed"))
        #expect(comparison.output.hasSuffix("1 regression\n"))
        let history = try matrix.run("history", "rename/y")
        #expect(history.output.contains("uring-single: failing now, failed 1 of 2"))
        let page = try String(
            contentsOfFile: "\(matrix.folder)/fstestkit-results/\(report.run.folder)/report.html", encoding: .utf8)
        #expect(page.contains("the proof"))
        try FileManager.default.removeItem(atPath: matrix.folder + "/broken")
        #expect(try matrix.run("matrix").status == 0)
        #expect(try matrix.run("compare", "--baseline").status == 0)
    }

    @Test func mistakesAreToldBeforeAnythingRuns() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        for (arguments, words) in [
            (["matrix", "--suite", "two"], "there is no suite 'two'"),
            (["matrix", "--transport", "fast"], "there is no transport 'fast'"),
            (["matrix", "--shard", "3/2"], "--shard takes K/N"),
            (["matrix", "--depth", "x"], "--depth: it takes a whole number"),
            (["report", "--output", "none"], "there are no results"),
            (["matrix", "--suite", ","], "--suite names nothing"),
            (["matrix", "--daemon", " "], "it takes a daemon's command"),
            (["matrix", "--daemon", "a", "--label", "b", "--label", "c"], "one --label goes with one --daemon"),
            (["matrix", "--output", "/dev/null"], "nothing can be written in the output folder /dev/null"),
        ] {
            let path = matrix.folder + "/mistake"
            let process = try matrix.start(arguments, output: path)
            process.waitUntilExit()
            #expect(process.terminationStatus != 0)
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains(words))
        }
        #expect(!FileManager.default.fileExists(atPath: matrix.folder + "/fstestkit-results"))
    }

    @Test func runsWithNothingInCommonAreNoSuccess() throws {
        let matrix = try StandInMatrix(["one": "say_finished a x passed", "two": "say_finished a x passed"])
        try matrix.run("matrix", "--suite", "one")
        #expect(try matrix.run("compare").status == 69)
        try matrix.run("matrix", "--suite", "two")
        let compared = try matrix.run("compare")
        #expect(compared.status == 69 && compared.output.contains("no test in common"), "\(compared.output)")
    }

    @Test func aDaemonThatIsNotThereIsNamed() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        let ended = try matrix.run("matrix", "--daemon", "no-such-daemon {source} {mountpoint}")
        #expect(ended.status == 69, "\(ended.output)")
        #expect(ended.output.contains("there is no program 'no-such-daemon'"), "\(ended.output)")
    }

    @Test(arguments: ["correctness", "stop-path", "hostile-source"])
    func noSuiteBeginsWithoutItsDaemonOrItsFolders(_ suite: String) throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        let missing = try matrix.run(suite, "--daemon", "no-such-daemon {source} {mountpoint}")
        #expect(missing.output.contains("there is no program 'no-such-daemon'"), "\(missing.output)")
        #expect(missing.status == 69)
        #expect(try matrix.run(suite, "--daemon", "").status == 64)
        let unwritable = try matrix.run(suite, "--daemon", "true {source} {mountpoint}", "--output", "/proc/results")
        #expect(unwritable.status == 64 && unwritable.output.contains("/proc/results"), "\(unwritable.output)")
        let path = matrix.folder + "/log"
        let process = try matrix.start(
            [suite, "--daemon", "true {source} {mountpoint}"], environment: ["TMPDIR": matrix.folder + "/none"],
            output: path)
        process.waitUntilExit()
        #expect(process.terminationStatus == 69)
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("TMPDIR"))
    }

    @Test func whatIsInForceIsShown() throws {
        let matrix = try StandInMatrix(["one": StandInMatrix.steady])
        let ended = try matrix.run("matrix", "--print-config", "--cycles", "3")
        #expect(ended.status == 0)
        #expect(ended.output.contains("--cycles"))
        #expect(ended.output.contains("fstestkit.yaml:1"))
        let plan = try matrix.run("matrix", "--plan", "--seed", "1")
        #expect(plan.output.hasPrefix(#"{"include":[{"cells":[{"cycle":1,"key":"one/legacy""#))
    }
}
