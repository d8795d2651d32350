import BenchCore
import FUSEServer
import Faults
import FoundationEssentials
import Glibc
import LinuxSystem
import StopPathSuite
import SystemPackage
import Testing

extension Mounting {
    /// Who has to notice does notice, and nobody else cries out.
    @Suite(.serialized) struct StopPathFaultTests {
        private let output = FilePath("/tmp/fstestkit-fault-\(getpid())")

        private func results() throws -> [TestResult] {
            try readWhole(output.appending("results.jsonl")).split(separator: "\n").compactMap {
                try? JSONDecoder().decode(TestResult.self, from: Data($0.utf8))
            }
        }

        /// The oracles that failed in a run of one scenario.
        private func failed(_ test: FaultCase, fault: Bool) throws -> (Set<String>, text: String) {
            var arguments = [
                "stop-path", "--transport", test.transport.rawValue, "--scenario", test.scenario,
                "--cycles", "\(test.cycles)", "--seed", "3", "--timeout", "5", "--output", output.string,
            ]
            if !test.isThorough { arguments.append("--quick") }
            // On a machine that is slower than this, 3 s are no stall.
            if test.fault == .stall { arguments += ["--slow", "2"] }
            if fault { arguments += ["--fault", test.fault.rawValue, "--allow-faults"] }
            let (_, text) = try StopPathTests.run(arguments, within: .seconds(400))
            let cycles = try results().filter { $0.area == test.scenario }
            try #require(cycles.count == test.cycles, "\(text)")
            return (Set(cycles.flatMap { $0.checks ?? [] }.filter { $0.verdict == .failed }.map(\.name)), text)
        }

        @Test(arguments: FaultCase.all) func isCaught(_ test: FaultCase) throws {
            guard hasRing || !test.transport.usesRing else { return }
            let (fired, text) = try failed(test, fault: true)
            #expect(fired.contains(test.oracle.rawValue), "\(text)")
            let allowed = test.consequences.union([test.oracle]).map(\.rawValue)
            #expect(fired.isSubset(of: allowed), "\(text)")
        }

        @Test(arguments: Set(FaultCase.all.map(\.scenario)).sorted()) func passesWithoutAFault(_ scenario: String)
            throws
        {
            for test in FaultCase.all.filter({ $0.scenario == scenario }).prefix(1) {
                guard hasRing || !test.transport.usesRing else { return }
                let (fired, text) = try failed(test, fault: false)
                #expect(fired.isEmpty, "\(text)")
            }
        }

        /// The daemon works all the time, but for others.
        @Test(arguments: [TransportName.legacy, .uringPercore])
        func aHangBesideBusyClientsIsToldSoon(_ transport: TransportName) throws {
            guard hasRing || !transport.usesRing else { return }
            let (_, text) = try StopPathTests.run([
                "stop-path", "--transport", transport.rawValue, "--scenario", "unmount-busy-then-idle", "--cycles", "1",
                "--seed", "3", "--timeout", "5", "--output", output.string, "--fault", "never-commit", "--allow-faults",
                "--slow", "1.01",
            ])
            let cycle = try #require(try results().first { $0.area == "unmount-busy-then-idle" }, "\(text)")
            #expect(cycle.verdict == .hung && cycle.seconds < 30, "\(text)")
        }

        /// Whoever reads that a thread did not end wants to know where it is.
        @Test func lateThreadsAreInTheLog() throws {
            let (_, text) = try failed(FaultCase(.forgetWakeUp, .legacy, "idle-sigterm", .exit), fault: true)
            let cycle = try #require(try results().first { $0.area == "idle-sigterm" }, "\(text)")
            let file = try #require(cycle.evidence.first { $0.hasSuffix("/daemon.log") }, "\(cycle.evidence)")
            let log = try readWhole(output.appending(file))
            #expect(log.contains("wchan") && log.contains("thread"), "\(log)")
        }

        /// Each request takes its time, and with all clients longer than anything may take: that is slow, and nothing hangs.
        @Test(arguments: ["unmount-busy-then-idle", "idle-sigterm"]) func slowIsNotHung(_ scenario: String) throws {
            let (status, text) = try StopPathTests.run([
                "stop-path", "--transport", "legacy", "--scenario", scenario, "--cycles", "1", "--seed", "3",
                "--timeout", "1", "--output", "/tmp/fstestkit-fault-\(getpid())", "--fault", "crawl",
                "--allow-faults", "--slow", "1.01",
            ])
            #expect(status == .exited(0), "\(text)")
        }

        @Test func faultsAreRefusedUnlessAllowed() throws {
            let (status, text) = try StopPathTests.run(["mount", "--foreground", "--fault", "spin", "/tmp", "/mnt"])
            #expect(status == .exited(64) && text.contains("--allow-faults"), "\(text)")
            let (other, _) = try StopPathTests.run(["stop-path", "--fault", "spin"])
            #expect(other == .exited(64))
        }

        /// The table of the documentation is this one.
        @Test func theDocumentationHasTheTable() throws {
            try DocumentedTable(
                file: "stop-path.md", name: "faults",
                head: ["fault", "what is done wrong", "transport", "scenario", "oracle"], rows: FaultCase.all.map(\.row)
            ).check()
        }
    }
}
