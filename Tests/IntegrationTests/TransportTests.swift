import BenchCore
import Foundation
import Glibc
import LinuxSystem
import SystemPackage
import Testing

extension Mounting {
    /// What each transport must do, whatever the filesystem.
    @Suite(.serialized) struct TransportTests {
        /// The part of `fstestkit stats --json` that these tests read.
        struct Statistics: Decodable {
            struct Operation: Decodable {
                let name: String
                let queued: Int
                let device: Int
            }
            struct Queue: Decodable {
                let capacity: Int
                let free: Int
            }
            let transport: String
            let fetched: Int
            let committed: Int
            let queues: [Queue]
            let opcodes: [Operation]
        }

        static func statistics(_ bench: Workbench, _ mountPoint: FilePath) throws -> Statistics {
            let result = try run(bench, ["stats", "--json", mountPoint.string])
            return try JSONDecoder().decode(Statistics.self, from: Data(result.output.utf8))
        }

        /// Opcodes that the kernel never sends over the ring.
        static let deviceOnly: Set = ["INIT", "FORGET", "BATCH_FORGET", "INTERRUPT"]

        @Test("requests travel over the transport that was asked for", arguments: availableTransports, [1, 8])
        func proof(_ transport: TransportName, depth: Int) throws {
            try withBench { bench, source, mountPoint in
                let target = Target(
                    .transport(transport),
                    options: ["--depth", "\(depth)", "--attr-timeout", "0", "--entry-timeout", "0"])
                let daemon = try MountedDaemon.start(target, source: source, mountPoint: mountPoint, bench: bench)
                let load = """
                    cd \(mountPoint) && for i in 1 2 3 4; do (mkdir d$i && cd d$i && for f in 1 2 3 4 5 6 7 8; do
                    echo $f > f$f && cat f$f && mv f$f g$f && ln g$f h$f && rm g$f; done) & done; wait; ls -lR; rm -r d1
                    """
                #expect(try shell(bench, load).status == .exited(0), "\(daemon.logTail)")
                let statistics = try TransportTests.statistics(bench, mountPoint)
                #expect(statistics.transport == transport.rawValue)
                #expect(statistics.fetched == statistics.committed && statistics.fetched > 300)
                #expect(
                    Set(statistics.opcodes.map(\.name)).isSuperset(of: ["LOOKUP", "READ", "WRITE", "CREATE", "GETATTR"])
                )
                for operation in statistics.opcodes {
                    let onDevice = !transport.usesRing || TransportTests.deviceOnly.contains(operation.name)
                    #expect(onDevice ? operation.queued == 0 : operation.device == 0, "\(operation)")
                }
                // With nothing to do, every entry waits in the kernel again: none was lost on the way.
                for queue in statistics.queues { #expect(queue.free == depth && queue.capacity == depth) }
                #expect(daemon.stop().exit == .exited(0))
            }
        }

        @Test(
            "a stop ends waits for locks; entries for them are counted and stay", arguments: availableTransports,
            [1, 8])
        func stopsWithWaiters(_ transport: TransportName, depth: Int) throws {
            try withBench { bench, source, mountPoint in
                let target = Target(.transport(transport), options: ["--depth", "\(depth)"])
                for method in [StopMethod.terminate, .abort, .kill] {
                    let daemon = try MountedDaemon.start(target, source: source, mountPoint: mountPoint, bench: bench)
                    let file = mountPoint.appending("f").string
                    let holder = try bench.spawn(["flock", "--no-fork", file, "sleep", "1000"])
                    usleep(300_000)
                    let waiters = try (0..<20).map { _ in try bench.spawn(["flock", "--no-fork", file, "true"]) }
                    usleep(500_000)
                    #expect(try shell(bench, "echo x > \(mountPoint)/g && cat \(mountPoint)/g").status == .exited(0))
                    for waiter in waiters[..<8] { end(waiter) }
                    usleep(300_000)
                    let statistics = try TransportTests.statistics(bench, mountPoint)
                    // What is taken and not answered waits; each has an entry, and others have as many as ever.
                    #expect(statistics.fetched - statistics.committed == 12)
                    if transport.usesRing {
                        #expect(statistics.queues.reduce(0) { $0 + $1.capacity - $1.free } == 12)
                        for queue in statistics.queues { #expect(queue.free >= depth) }
                    }
                    daemon.begin(method)
                    let exit = daemon.process?.wait(.seconds(10))
                    let expected = method == .kill ? ExitStatus.signalled(SIGKILL, coreDumped: false) : .exited(0)
                    #expect(exit == expected, "\(daemon.logTail)")
                    for waiter in waiters[8...] { #expect(waiter.wait(.seconds(5)) != nil) }
                    // The connection lasts as long as the holder's open file.
                    end(holder)
                    if daemon.isMounted { _ = daemon.unmount() }
                }
            }
        }

        @Test("every way to end a connection ends it", arguments: availableTransports)
        func stops(_ transport: TransportName) throws {
            try withBench { bench, source, mountPoint in
                for round in 0..<2 {
                    for method in StopMethod.allCases {
                        let log = bench.folder.appending("\(transport.rawValue)-\(method)-\(round).log")
                        let daemon = try MountedDaemon.start(
                            Target(.transport(transport)), source: source, mountPoint: mountPoint, bench: bench,
                            log: log)
                        let load = try bench.spawn([
                            "sh", "-c",
                            "cd \(mountPoint) && while :; do echo x > a && cat a && mv a b && rm b || exit; done",
                        ])
                        usleep(UInt32(20_000 * (round + 1)))
                        // An unmount is refused while the load has its working directory there.
                        if method == .unmount { end(load) }
                        let report = daemon.stop(method, within: .seconds(5))
                        end(load)
                        // A dead mount stays as long as someone's working directory is there.
                        if method == .kill || method == .abort { _ = daemon.unmount() }
                        // A lazy unmount lasts until the last user has gone.
                        let ended = method == .lazyUnmount ? daemon.process?.wait(.seconds(5)) : report.exit
                        #expect(
                            ended == (method == .kill ? .signalled(SIGKILL, coreDumped: false) : .exited(0)),
                            "\(method): \(report)")
                        #expect(try MountTable.top(at: mountPoint.string) == nil, "\(method)")
                        #expect(load.exitStatus != nil)
                        if method != .kill { #expect(daemon.logTail.contains("stopped: "), "\(daemon.logTail)") }
                    }
                }
            }
        }

        /// Ends a client and its children, which may take a moment longer.
        private func end(_ client: ChildProcess) {
            client.kill()
            _ = Deadline(after: .seconds(5)).wait { client.groupMembers.isEmpty }
        }

        @Test("a second signal does not wait for what is in hand", arguments: availableTransports)
        func secondSignal(_ transport: TransportName) throws {
            try withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.transport(transport)), source: source, mountPoint: mountPoint, bench: bench)
                // A lock that waits for another is in hand as long as it takes.
                let holder = try bench.spawn(["flock", "\(mountPoint)/lock", "sleep", "60"])
                usleep(100_000)
                let waiter = try bench.spawn(["flock", "\(mountPoint)/lock", "true"])
                usleep(100_000)
                daemon.process?.signal(SIGTERM)
                usleep(50_000)
                daemon.process?.signal(SIGTERM)
                #expect(daemon.process?.wait(.seconds(2)) == .exited(0), "\(daemon.logTail)")
                holder.kill()
                waiter.kill()
            }
        }

        @Test(
            "without its setting the ring is refused, with the way out",
            .enabled(
                if: access(RingSetting.path.string, W_OK) == 0,
                "needs a kernel with the ring, and the right to switch it off")
        )
        func ringRefused() throws {
            let before = try readWhole(RingSetting.path)
            try setRing("N")
            defer { try? setRing(before) }
            try withBench { bench, source, mountPoint in
                let refused = try run(
                    bench, ["mount", "--transport", "uring-percore", source.string, mountPoint.string])
                #expect(refused.status == .exited(69))
                #expect(refused.output.contains("enable_uring"))
                let fallen = try run(
                    bench,
                    ["mount", "--transport", "uring-percore", "--fallback", "legacy", source.string, mountPoint.string])
                #expect(fallen.status == .exited(0))
                bench.ledger.record(.mount(mountPoint.string))
            }
        }

        /// Asked by the kernel when a connection begins: those that are there go on as they are.
        private func setRing(_ value: String) throws {
            let file = try FileDescriptor.open(RingSetting.path, .writeOnly)
            defer { try? file.close() }
            _ = try file.writeAll(value.utf8)
        }
    }
}
