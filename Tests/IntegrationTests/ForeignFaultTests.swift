import BenchCore
import CorrectnessSuite
import Glibc
import LinuxSystem
import SystemPackage
import Testing

extension Mounting {
    /// A daemon that was not written here, made wrong by a library that is preloaded into it, and who notices.
    @Suite(
        .serialized, .enabled(if: isInstalled("bindfs"), "needs bindfs"), .enabled(if: isInstalled("cc"), "needs cc"))
    struct ForeignFaultTests {
        /// A fault, the parts of a run that are made, and the results that must fail; none for what must pass.
        struct Case: Sendable, CustomTestStringConvertible {
            let fault: String
            let checks: [String]
            let failures: [String]

            var testDescription: String { fault }
        }

        static let cases = [
            Case(fault: "none", checks: ["truncate-shrinks-and-grows", "equal-rounds"], failures: []),
            Case(fault: "pool", checks: ["equal-rounds"], failures: []),
            Case(fault: "no-direct", checks: ["direct-io", "equal-rounds"], failures: []),
            Case(
                fault: "forget-truncate", checks: ["truncate-shrinks-and-grows"],
                failures: ["truncate-shrinks-and-grows"]),
            Case(fault: "forget-chmod", checks: ["chmod-every-bit"], failures: ["chmod-every-bit"]),
            Case(fault: "forget-xattr", checks: ["xattr-set-get-remove"], failures: ["xattr-set-get-remove"]),
            Case(
                fault: "short-read-seldom", checks: ["differential-sequences"], failures: ["differential-sequences"]),
            Case(
                fault: "lose-write-seldom", checks: ["integrity-under-load"],
                failures: ["integrity-under-load", "integrity-after-remount"]),
            Case(
                fault: "lose-write", checks: ["many-small-writes", "integrity-under-load"],
                failures: ["many-small-writes", "integrity-under-load", "integrity-after-remount"]),
            Case(fault: "leak-little", checks: ["equal-rounds"], failures: ["equal-rounds"]),
            Case(fault: "leak-buffer", checks: ["equal-rounds"], failures: ["equal-rounds"]),
            Case(fault: "leak-thread", checks: ["equal-rounds"], failures: ["equal-rounds"]),
            Case(fault: "leak-descriptor", checks: ["equal-rounds"], failures: ["equal-rounds"]),
            Case(fault: "stall", checks: ["no-stalls"], failures: ["no-stalls"]),
            Case(fault: "crash", checks: ["list-1000", "rmdir-errors"], failures: ["stays-alive"]),
            Case(fault: "hang", checks: ["list-1000"], failures: ["list-1000"]),
            Case(fault: "slow", checks: ["list-1000"], failures: []),
        ]

        @Test func theDocumentationHasTheTable() throws {
            func names(_ list: [String]) -> String {
                list.isEmpty ? "nothing" : list.map { "`\($0)`" }.joined(separator: ", ")
            }
            let rows = ForeignFaultTests.cases.map { ["`\($0.fault)`", names($0.checks), names($0.failures)] }
            try DocumentedTable(
                file: "correctness.md", name: "preloaded faults",
                head: ["preloaded into bindfs", "asked", "must fail"],
                rows: rows + [
                    ["`double-reply`", "equal-rounds of the stop path", "T requests"],
                    ["`lose-fsync`", "kill9-under-io of the stop path", "S stored data"],
                ]
            ).check()
        }

        private static func buildPreload(_ folder: FilePath) throws -> String {
            let source = FilePath(#filePath).removingLastComponent().appending("Preload/faults.c").string
            let library = folder.appending("faults.so").string
            let compiler = try ChildProcess.spawn(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"])
            try #require(compiler.wait(.seconds(60)) == .exited(0))
            return library
        }

        /// Nobody but the kernel notices a second reply.
        @Test(arguments: [("double-reply", true), ("none", false)])
        func refusedRepliesAreCounted(fault: String, isBad: Bool) throws {
            try Mounting.withBench { bench, _, _ in
                let preload = try ForeignFaultTests.buildPreload(bench.folder)
                let command = "env LD_PRELOAD=\(preload) FAULT=\(fault) bindfs -f {source} {mountpoint}"
                let (status, text) = try StopPathTests.stopPath(["--daemon", command, "--scenario", "equal-rounds"])
                #expect(status == .exited(isBad ? 1 : 0), "\(text)")
                #expect(text.contains("the kernel refused") == isBad, "\(text)")
            }
        }

        /// What was fsynced, and is not there after a power cut.
        @Test(arguments: [("lose-fsync", true), ("none", false)])
        func lostSyncsAreSeen(fault: String, isBad: Bool) throws {
            try Mounting.withBench { bench, _, _ in
                let preload = try ForeignFaultTests.buildPreload(bench.folder)
                let command = "env LD_PRELOAD=\(preload) FAULT=\(fault) bindfs -f {source} {mountpoint}"
                let (status, text) = try StopPathTests.stopPath(["--daemon", command, "--scenario", "kill9-under-io"])
                #expect(status == .exited(isBad ? 1 : 0), "\(text)")
                #expect(text.contains("S stored data") == isBad, "\(text)")
            }
        }

        @Test(arguments: cases) func isCaughtByWhomItIsMeantFor(_ test: Case) throws {
            try Mounting.withBench { bench, _, _ in
                let preload = try ForeignFaultTests.buildPreload(bench.folder)
                let command = "env LD_PRELOAD=\(preload) FAULT=\(test.fault) bindfs -f {source} {mountpoint}"
                let target = Target(.command(command), cleanExitStatuses: [0, 1])
                let outcome = try CorrectnessTests.run(target) { options in
                    options.checks = test.checks
                    options.duration = 4
                    options.longestTask = 5
                    options.pace = Pace(factor: 1)
                }
                let failed = Set(outcome.results.filter(\.verdict.isFailure).map(\.name))
                #expect(failed == Set(test.failures), "\(outcome.results)")
            }
        }
    }
}
