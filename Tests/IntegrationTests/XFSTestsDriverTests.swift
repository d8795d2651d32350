import BenchCore
import Foundation
import LinuxSystem
import SystemPackage
import Testing

extension Mounting {
    /// The driver as a program, on the stand-in checkout beside this file.
    @Suite(.serialized) struct XFSTestsDriverTests {
        static let standIn = FilePath(#filePath).removingLastComponent().appending("StandIn")

        struct Run {
            let status: BenchCore.ExitStatus?
            let output: FilePath
            let text: String
            var report: String { read("report.txt") }

            func read(_ name: String) -> String {
                (try? String(contentsOfFile: output.appending(name).string, encoding: .utf8)) ?? ""
            }
        }

        static func folder() -> FilePath { FilePath("/tmp/fstestkit-driver-\(UUID().uuidString)") }

        static func command(_ arguments: [String], output: FilePath) -> [String] {
            [
                Mounting.program, "xfstests", "--xfstests", standIn.string, "--transport", "legacy", "--backing",
                "tmpfs",
                "--image-size", "1", "--baseline", "none", "--force", "--grace", "2", "--output", output.string,
            ] + arguments
        }

        static let environment: [String: String] = {
            let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            return ["FSTESTKIT_XFSTESTS_CONFIG": root.appending("xfstests-config").string]
        }()

        /// Runs it to its end, and looks that nothing is left.
        func run(_ arguments: [String], output: FilePath = folder()) throws -> Run {
            let log = FilePath(output.string + ".log")
            let child = try ChildProcess.spawn(
                Self.command(arguments, output: output), environment: Self.environment, output: log)
            let status = child.wait(.seconds(120))
            if status == nil { child.kill() }
            return Run(status: status, output: output, text: child.output)
        }

        func remove(_ run: Run) {
            try? FileManager.default.removeItem(atPath: run.output.string)
            try? FileManager.default.removeItem(atPath: run.output.string + ".log")
        }

        @Test func passFailNotRunAndFlaky() throws {
            let run = try run(["-g", "quick", "--rerun-failed", "2"])
            defer { remove(run) }
            #expect(run.status == .exited(1), "\(run.text)")
            #expect(run.report.contains("5 executed of 6"), "\(run.report)")
            #expect(
                run.report.contains("generic/002 fail: [failed, exit status 1]- output mismatch: +came"),
                "\(run.report)")
            #expect(run.report.contains("generic/006 fail: left running: sleep"))
            #expect(run.report.contains("generic/007 flaky: failed 1 of 3"))
            #expect(run.report.contains("1  needs what is not here (generic/003)"))
            #expect(run.read("junit.xml").contains("name=\"generic/001\" time="))
            #expect(run.read("logs/legacy-c1.result.xml").contains("stand-in"))
            #expect(run.read("evidence/legacy-c1/generic-002/002.out.bad") == "came\n")
        }

        @Test func hungTestsAreEndedAndTheRunGoesOn() throws {
            let run = try run(["generic/004", "generic/009", "generic/010", "--test-timeout", "15"])
            defer { remove(run) }
            #expect(run.status == .exited(1))
            #expect(run.report.contains("1 pass, 0 fail, 2 hung"), "\(run.text)")
            #expect(
                run.report.contains(
                    "generic/004 hung: not done after 15 s, not even after its connections were aborted")
            )
            let evidence = run.output.appending("evidence/legacy-c1/generic-009")
            #expect(try String(contentsOfFile: evidence.appending("blocked").string, encoding: .utf8).contains("fuse"))
        }

        @Test func aDeadDaemonAndADeadCheckAreBlamedOnTheirTests() throws {
            let run = try run(["generic/005", "generic/008", "generic/010", "--rerun-failed", "0"])
            defer { remove(run) }
            #expect(run.report.contains("1 pass, 0 fail, 0 hung, 2 crashed"), "\(run.text)")
            #expect(run.report.contains("ended: SIGKILL"))
            #expect(run.report.contains("generic/008 crashed: check ended in the middle of it"))
        }

        @Test func resumeAfterTheDriverWasKilled() throws {
            let output = Self.folder()
            let command = Self.command(
                ["generic/001", "generic/004", "generic/010", "--rerun-failed", "0"], output: output)
            let child = try ChildProcess.spawn(
                command, environment: Self.environment, output: FilePath(output.string + ".log"))
            let isRunning = Deadline(after: .seconds(60)).wait(upTo: .milliseconds(50)) {
                let journal = try? String(contentsOfFile: output.appending("journal.jsonl").string, encoding: .utf8)
                let last = journal?.split(separator: "\n").last ?? ""
                return last.hasPrefix("{\"began\"") && last.contains("generic\\/004")
            }
            #expect(isRunning, "\(child.output)")
            kill(child.id.pid, SIGKILL)
            _ = child.wait(.seconds(10))
            let run = try run(["--resume"], output: output)
            defer { remove(run) }
            #expect(run.status == .exited(1), "\(run.text)")
            #expect(run.report.contains("2 pass, 0 fail, 0 hung, 1 crashed"), "\(run.report)")
            #expect(run.report.contains("generic/004 crashed: the bench or the machine died while it ran"))
            #expect(Cleaner.leftovers().allSatisfy { !run.read("journal.jsonl").contains($0.run) })
        }

        @Test func cyclesBaselineAndUntilFailure() throws {
            let output = Self.folder()
            let baseline = output.string + ".baseline"
            defer { try? FileManager.default.removeItem(atPath: baseline) }
            let tests = ["generic/001", "generic/002", "generic/003"]
            let first = try run(
                tests + ["--baseline", baseline, "--update-baseline", "--rerun-failed", "0"], output: output)
            defer { remove(first) }
            #expect(first.status == .exited(1), "\(first.text)")
            let second = try run(tests + ["--baseline", baseline, "--cycles", "2", "--shuffle", "--seed", "3"])
            defer { remove(second) }
            #expect(second.status == .exited(0), "\(second.text)")
            #expect(second.report.contains("expected failures"))
            let third = try run(["generic/001", "generic/002", "generic/010", "--until-failure", "--rerun-failed", "0"])
            defer { remove(third) }
            #expect(third.report.contains("2 executed of 2"), "\(third.report)")
        }
    }
}
