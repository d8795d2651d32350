import BenchCore
import Glibc
import LinuxSystem
import SystemPackage
import Testing

extension Mounting {
    /// What a daemon does that has no descriptors left.
    @Suite(.serialized, .enabled(if: isInstalled("prlimit"), "needs prlimit(1)")) struct ShortageTests {
        @Test("a mount that cannot be served is taken back", arguments: availableTransports)
        func nothingIsLeftMounted(_ transport: TransportName) throws {
            try withBench { bench, source, mountPoint in
                var refusals = 0
                for limit in 5..<64 {
                    let mount = ["mount", "--transport", transport.rawValue, "--threads", "1"]
                    let result = try run(
                        bench,
                        ["--nofile=\(limit):\(limit)", Mounting.program] + mount + [source.string, mountPoint.string],
                        as: "prlimit")
                    bench.ledger.record(.mount(mountPoint.string))
                    if result.status == .exited(0) {
                        #expect(try run(bench, ["unmount", mountPoint.string]).status == .exited(0))
                        break
                    }
                    refusals += 1
                    let left = try MountTable.top(at: mountPoint.string)
                    #expect(left == nil, "with \(limit) descriptors: \(result.output)")
                    if left != nil { umount2(mountPoint.string, 2 /* MNT_DETACH */) }
                }
                #expect(refusals > 3)
            }
        }

        @Test func statisticsAreToldAgainOnceThereAreDescriptors() throws {
            try withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.transport(.legacy)), source: source, mountPoint: mountPoint, bench: bench)
                let process = try #require(daemon.process?.id)
                func limit(_ count: Int) throws {
                    #expect(
                        try run(bench, ["--pid", "\(process)", "--nofile=\(count):"], as: "prlimit").status
                            == .exited(0))
                }
                try limit(3)
                // An accept(2) that waits already has its descriptor: the first question is answered all the same.
                for _ in 0..<2 {
                    _ = try run(bench, ["1", Mounting.program, "stats", mountPoint.string], as: "timeout")
                }
                try limit(1024)
                let told = try run(bench, ["stats", mountPoint.string])
                #expect(told.status == .exited(0) && told.output.contains("legacy"), "\(told.output)")
                #expect(daemon.stop().exit == .exited(0))
            }
        }

        @Test("direct I/O is split at whole blocks", arguments: ["max_write=5000", "max_read=5000"])
        func oddSizes(_ option: String) throws {
            try withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.transport(.legacy), options: ["-o", option]), source: source, mountPoint: mountPoint,
                    bench: bench)
                let copy = """
                    dd if=/dev/zero of=\(mountPoint)/file bs=32k count=2 oflag=direct &&
                    dd if=\(mountPoint)/file of=/dev/null bs=32k iflag=direct
                    """
                let result = try shell(bench, copy)
                #expect(result.status == .exited(0), "\(result.output)")
                #expect(daemon.stop().exit == .exited(0))
            }
        }
    }
}
