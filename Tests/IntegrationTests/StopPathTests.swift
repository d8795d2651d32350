import BenchCore
import Glibc
import LinuxSystem
import StopPathSuite
import SystemPackage
import Testing

extension Mounting {
    /// The stop-path suite itself: it passes what is right, and leaves nothing behind.
    @Suite(.serialized) struct StopPathTests {
        /// Runs the program and waits for its end.
        static func run(_ arguments: [String], within limit: Duration = .seconds(120)) throws -> (
            BenchCore.ExitStatus?, String
        ) {
            let log = FilePath("/tmp/fstestkit-stop-path-\(getpid()).log")
            unlink(log.string)
            // A daemon of a debug build that crashes writes a backtrace first, for seconds, and its clients wait for as long as that.
            let child = try ChildProcess.spawn(
                ["/usr/bin/env", "SWIFT_BACKTRACE=enable=no", Mounting.program] + arguments, output: log)
            let status = child.wait(limit)
            if status == nil { child.kill() }
            return (status, child.output)
        }

        static func stopPath(
            _ arguments: [String], within limit: Duration = .seconds(120)
        ) throws -> (BenchCore.ExitStatus?, String) {
            let output = "/tmp/fstestkit-stop-path-\(getpid())"
            return try run(
                ["stop-path", "--quick", "--seed", "11", "--timeout", "10", "--output", output] + arguments,
                within: limit)
        }

        @Test func listNamesEveryScenario() throws {
            let (status, text) = try StopPathTests.run(["stop-path", "--list"])
            #expect(status == .exited(0))
            #expect(Scenarios.all.count == 50)
            #expect(Scenarios.all.map(\.number) == Array(1...50))
            for scenario in Scenarios.all { #expect(text.contains(scenario.name)) }
        }

        @Test(.enabled(if: isInstalled("bindfs"), "needs bindfs")) func aForeignDaemonPasses() throws {
            let (status, text) = try StopPathTests.stopPath([
                "--daemon", "bindfs -f {source} {mountpoint}", "--scenario", "1", "4", "17", "25", "37", "40",
            ])
            #expect(status == .exited(0), "\(text)")
        }

        @Test func ourDaemonPasses() throws {
            let (status, text) = try StopPathTests.stopPath([
                "--transport", "legacy", "--scenario", "1", "3", "17", "23", "24", "39", "40",
            ])
            #expect(status == .exited(0), "\(text)")
        }

        @Test func nothingIsLeftWhenTheBenchIsInterrupted() throws {
            try StopPathTests.killed(by: SIGTERM) { status in #expect(status == .exited(128 + SIGTERM)) }
        }

        @Test func cleanRemovesWhatAKilledBenchLeft() throws {
            try StopPathTests.killed(by: SIGKILL) { status in
                #expect(status == .signalled(SIGKILL, coreDumped: false))
                let (status, text) = try StopPathTests.run(["clean"])
                #expect(status == .exited(0), "\(text)")
                #expect(text.contains("aborted connection"))
            }
        }

        @Test func cleanTakesAlongWhatAKilledMatrixHadStarted() throws {
            let state = FilePath("/tmp/fstestkit-state-\(getpid())")
            let temporary = state.appending("tmp").string
            Evidence.makeFolders(temporary)
            defer { _ = Cleaner.removeTree(state.string) }
            let environment = ["FSTESTKIT_STATE": state.string, "TMPDIR": temporary]
            let matrix = try ChildProcess.spawn(
                [
                    Mounting.program, "matrix", "--quick", "--suite", "correctness", "--transport", "legacy",
                    "--output", state.appending("results").string,
                ], environment: environment)
            #expect(Deadline(after: .seconds(30)).wait { !MountTable.mounts(below: temporary).isEmpty })
            matrix.signal(SIGKILL)
            _ = matrix.wait(.seconds(10))
            let log = state.appending("log")
            let clean = try ChildProcess.spawn([Mounting.program, "clean"], environment: environment, output: log)
            #expect(clean.wait(.seconds(60)) == .exited(0), "\(clean.output)")
            #expect(clean.output.contains("aborted connection"), "\(clean.output)")
            #expect(MountTable.mounts(below: temporary).isEmpty)
            #expect(names(in: temporary).isEmpty)
            #expect(!names(in: state.string).contains { $0.hasSuffix(".ledger") })
        }

        /// Kills the bench in mid-cycle; after `then`, nothing of it may be there.
        static func killed(by signal: Int32, then: (BenchCore.ExitStatus?) throws -> Void) throws {
            let output = "/tmp/fstestkit-stop-path-\(getpid())"
            let bench = try ChildProcess.spawn([
                Mounting.program, "stop-path", "--scenario", "23", "--transport", "legacy", "--cycles", "50",
                "--output", output,
            ])
            func mounts() -> [MountEntry] {
                MountTable.current().filter { $0.mountPoint.contains("/fstestkit-\(bench.id.pid)-") && $0.isFUSE }
            }
            #expect(Deadline(after: .seconds(20)).wait { !mounts().isEmpty })
            bench.signal(signal)
            try then(bench.wait(.seconds(30)))
            #expect(mounts().isEmpty)
            #expect(!Cleaner.leftovers().contains { $0.run.hasPrefix("\(bench.id.pid)-") })
            let left = ProcessID.all().filter { pid in
                (try? readWhole(FilePath("/proc/\(pid)/environ")))?.contains("FSTESTKIT_RUN=\(bench.id.pid)-") ?? false
            }
            #expect(left.isEmpty)
        }
    }
}
