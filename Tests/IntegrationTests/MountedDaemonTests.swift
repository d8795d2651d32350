import BenchCore
import Glibc
import SystemPackage
import Testing

extension Mounting {
    /// The bench's own layer, on a daemon that this project did not write.
    @Suite(.serialized, .enabled(if: isInstalled("bindfs"), "needs bindfs")) struct MountedDaemonTests {
        let bindfs = Target(.command("bindfs -f {source} {mountpoint}"))

        @Test(arguments: StopMethod.allCases) func everyStopEnds(_ method: StopMethod) throws {
            try Mounting.withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(bindfs, source: source, mountPoint: mountPoint, bench: bench)
                #expect(daemon.isMounted)
                #expect(daemon.connection?.exists == true)
                #expect(daemon.connection?.holders == [daemon.process!.id])
                let report = daemon.stop(method)
                #expect(report.isComplete, "\(report)")
                #expect(report.exit == (method == .kill ? .signalled(SIGKILL, coreDumped: false) : .exited(0)))
            }
        }

        @Test func stoppedDaemonCostsTheDeadlineOnly() throws {
            try Mounting.withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(bindfs, source: source, mountPoint: mountPoint, bench: bench)
                daemon.process?.signal(SIGSTOP)
                let client = try bench.spawn(["ls", mountPoint.string])
                let report = daemon.stop(.terminate, within: .milliseconds(500))
                #expect(!report.isComplete)
                #expect(report.seconds < 2)
                #expect(daemon.forceDown(evidence: bench.evidence.below("stopped"), clients: [client]))
                #expect(client.exitStatus != nil)
            }
        }

        @Test func aDaemonThatFailsIsToldWithItsLog() throws {
            try Mounting.withBench { bench, source, mountPoint in
                let target = Target(.command("bindfs -f /no/such/folder {mountpoint}"))
                #expect {
                    try MountedDaemon.start(target, source: source, mountPoint: mountPoint, bench: bench)
                } throws: { error in
                    guard case DaemonError.exited(_, let log) = error else { return false }
                    return log.contains("/no/such/folder")
                }
            }
        }

        @Test func mountHelperLeavesADaemonThatIsAdopted() throws {
            try Mounting.withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.mountHelper("bindfs")), source: source, mountPoint: mountPoint, bench: bench)
                let report = daemon.stop(.terminate)
                #expect(report.isComplete && report.exit == .exited(0), "\(report)")
            }
        }

        @Test func aRunIsCleanedUpWithWhatItMounted() throws {
            try Mounting.withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(bindfs, source: source, mountPoint: mountPoint, bench: bench)
                daemon.process?.signal(SIGSTOP)
                let report = bench.close()
                #expect(report.isClean, "\(report.failures)")
                #expect(!daemon.isMounted)
                #expect(daemon.connection?.exists == false)
            }
        }
    }
}
