import BenchCore
import Faults
import Glibc
import HostileSourceSuite
import LinuxSystem
import SystemPackage
import Testing

extension Mounting {
    /// The hostile-source suite: silent on what is right, and every fault that it must see.
    @Suite(.serialized) struct HostileSourceTests {
        private static func run(
            _ target: Target, directory: FilePath? = nil, _ change: (inout HostileSourceSettings) -> Void = { _ in }
        ) throws -> [TestResult] {
            var settings = HostileSourceSettings()
            settings.duration = HostileSourceSettings.quick
            settings.seed = 5
            change(&settings)
            let output = FilePath("/tmp/fstestkit-hostile-source-\(getpid())")
            let bench = try Workbench(output: output, program: Mounting.program)
            defer {
                #expect(bench.close().isClean)
                #expect(MountTable.mounts(below: bench.folder.string).isEmpty)
            }
            return try HostileSourceSession(targets: [target], directory: directory, settings: settings, bench: bench)
                .run { _ in }
        }

        @Test(arguments: availableTransports) func ourDaemonPasses(_ transport: TransportName) throws {
            let results = try HostileSourceTests.run(Target(.transport(transport)))
            #expect(results.count == HostileSourceOracle.allCases.count)
            for result in results { #expect(result.verdict == .passed, "\(result.name): \(result.message)") }
        }

        @Test func aPlainDirectoryPasses() throws {
            let results = try HostileSourceTests.run(Target(.directory), directory: "/tmp")
            for result in results {
                #expect(!result.verdict.isFailure, "\(result.name): \(result.message)")
                if result.verdict == .skipped { #expect(result.message == "there is no daemon") }
            }
        }

        /// For each fault that only a changing source shows, the oracle that must see it.
        static let catches: [(fault: Fault, oracle: HostileSourceOracle)] = [
            (.createOpensExisting, .privateFileUnread), (.openByName, .privateFileUnchanged),
            (.waitsForFIFO, .nothingHangs), (.wrongGroup, .createdIsMine),
        ]

        @Test(arguments: catches.map(\.fault)) func aFaultIsCaught(_ fault: Fault) throws {
            let oracle = try #require(HostileSourceTests.catches.first { $0.fault == fault }?.oracle)
            let results = try HostileSourceTests.run(Target(.transport(.legacy), fault: fault.rawValue)) { settings in
                settings.duration = oracle == .nothingHangs ? .seconds(30) : .seconds(10)
                settings.deadline = .seconds(2)
            }
            let result = try #require(results.first { $0.name == oracle.rawValue })
            #expect(result.verdict.isFailure, "\(results.map { "\($0.name): \($0.message)" })")
            #expect(!result.evidence.isEmpty)
            // A daemon that hangs or dies is started anew: everything else is asked all the same.
            #expect(!results.contains { $0.verdict == .skipped }, "\(results.map { "\($0.name): \($0.message)" })")
        }

        @Test(.enabled(if: isInstalled("bindfs"), "needs bindfs")) func aDaemonForItsOwnerAloneIsNotForThisSuite()
            throws
        {
            let (status, text) = try StopPathTests.run([
                "hostile-source", "--quick", "--daemon", "bindfs -f --no-allow-other {source} {mountpoint}",
            ])
            #expect(status == .exited(69), "\(text)")
            #expect(text.contains("allow_other"), "\(text)")
        }

        @Test func nothingIsLeftAfterAKill() throws {
            try Mounting.withBench { bench, source, _ in
                // A ledger folder of its own: other runs that were killed are none of this test's business.
                let state = ["FSTESTKIT_STATE": "\(bench.folder)/state", "TMPDIR": source.string]
                mkdir("\(bench.folder)/state", 0o755)
                let run = try bench.spawn(
                    [Mounting.program, "hostile-source", "--transport", "legacy", "--duration", "60"],
                    environment: state, output: FilePath("\(bench.folder)/log"))
                // Until something is mounted inside the source.
                let isMounted = Deadline(after: .seconds(30)).wait {
                    MountTable.mounts(below: source.string).contains { $0.mountPoint.contains("/source/m") }
                }
                #expect(isMounted, "\(run.output)")
                _ = run.signal(SIGKILL)
                _ = run.wait(.seconds(5))
                let clean = try bench.spawn(
                    [Mounting.program, "clean"], environment: state, output: FilePath("\(bench.folder)/clean"))
                #expect(clean.wait(.seconds(60)) == .exited(0), "\(clean.output)")
                #expect(MountTable.mounts(below: source.string).isEmpty)
                #expect(rmdir(source.string) == 0, "something is left in \(source)")
                mkdir(source.string, 0o755)
            }
        }
    }
}
