import Foundation
import Glibc
import LinuxSystem
import SystemPackage
import BenchCore
import Testing

extension Mounting {
    /// No command touches a mount whose daemon does not answer, or waits for it without a bound.
    @Suite(.serialized) struct UnansweredMountTests {
        /// Mounts, stops the daemon with SIGSTOP, and lets it go on afterwards, whatever came of it.
        private func withStoppedDaemon(
            _ transport: TransportName, _ body: (Workbench, FilePath, MountedDaemon) throws -> Void
        ) throws {
            try withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.transport(transport)), source: source, mountPoint: mountPoint, bench: bench)
                // A mount can be used a moment before its daemon tells statistics.
                let isAsked = Deadline(after: .seconds(20)).wait {
                    (try? run(bench, ["stats", mountPoint.string]))?.status == .exited(0)
                }
                #expect(isAsked)
                daemon.process?.signal(SIGSTOP)
                defer {
                    daemon.process?.signal(SIGCONT)
                    daemon.forceDown()
                }
                try body(bench, source, daemon)
            }
        }

        /// What it takes at most, on a machine that is busy with other things.
        private func expectToEnd(
            _ bench: Workbench, _ arguments: [String], environment: [String: String] = [:], status: Int32,
            saying words: String...
        ) throws {
            let began = ContinuousClock.now
            let ended = try run(bench, arguments, environment: environment)
            #expect(ended.status == .exited(status), "\(arguments): \(ended)")
            #expect(began.duration(to: .now) < .seconds(12), "\(arguments)")
            for word in words { #expect(ended.output.contains(word), "\(arguments): \(ended.output)") }
        }

        @Test(arguments: availableTransports) func everyCommandEndsAndSaysWhatToDo(_ transport: TransportName) throws {
            try withStoppedDaemon(transport) { bench, source, daemon in
                let mountPoint = daemon.mountPoint.string
                let connection = "/sys/fs/fuse/connections/\(daemon.connection!.number)/abort"
                let pid = "\(daemon.process!.id)"
                try expectToEnd(bench, ["stats", mountPoint], status: 70, saying: "kill -CONT \(pid)", connection)
                try expectToEnd(
                    bench, ["mount", "--transport", "legacy", source.string, mountPoint], status: 70,
                    saying: "in the way", "kill -CONT \(pid)", connection)
                try expectToEnd(
                    bench, ["mount", "--transport", "legacy", mountPoint + "/", bench.folder.string], status: 70,
                    saying: "in the way")
                try expectToEnd(
                    bench, ["mount", "--transport", "legacy", mountPoint + "/below", bench.folder.string], status: 70,
                    saying: "in the way")
                for command in [
                    ["correctness"], ["hostile-source"], ["stop-path"], ["matrix", "--quick"], ["history"],
                ] {
                    try expectToEnd(
                        bench, command + ["--output", mountPoint + "/results"], status: 70, saying: "in the way")
                }
                try expectToEnd(
                    bench, ["correctness"], environment: ["TMPDIR": mountPoint], status: 70, saying: "TMPDIR")
                _ = try run(bench, ["doctor"])
                _ = try run(bench, ["clean", "--dry-run"])
                let dirty = try bench.spawn(["sh", "-c", "exec 3> \(mountPoint)/held"])
                try expectToEnd(
                    bench, ["unmount", "--timeout", "2", mountPoint], status: 1, saying: "in use")
                try expectToEnd(
                    bench, ["unmount", "--timeout", "2", "--lazy", mountPoint], status: 70, saying: "kill -CONT \(pid)",
                    connection)
                #expect(!daemon.isMounted)
                daemon.process?.signal(SIGCONT)
                daemon.abort()
                dirty.kill()
            }
        }

        @Test(arguments: availableTransports) func anIdleMountIsUnmountedAndItsDaemonNamed(_ transport: TransportName)
            throws
        {
            try withStoppedDaemon(transport) { bench, _, daemon in
                let began = ContinuousClock.now
                let ended = try run(bench, ["unmount", "--timeout", "2", daemon.mountPoint.string])
                #expect(ended.status == .exited(70), "\(ended)")
                #expect(ended.output.contains("is stopped: 'kill -CONT \(daemon.process!.id)'"), "\(ended.output)")
                #expect(began.duration(to: .now) < .seconds(8))
                #expect(!daemon.isMounted)
            }
        }

        @Test func aMountOverADeadOneSaysTheRemedy() throws {
            try withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.transport(.legacy)), source: source, mountPoint: mountPoint, bench: bench)
                daemon.process?.kill()
                let refused = try run(bench, ["mount", source.string, mountPoint.string])
                #expect(refused.status == .exited(1))
                #expect(
                    refused.output.contains("'fstestkit unmount \(mountPoint)' takes that mount away"), "\(refused)")
                #expect(try run(bench, ["unmount", mountPoint.string]).status == .exited(0))
                #expect(!daemon.isMounted)
            }
        }

        @Test func whoHoldsTheMountInAnotherNamespaceIsNamed() throws {
            try withBench { bench, source, mountPoint in
                _ = try run(bench, ["mount", "--transport", "legacy", source.string, mountPoint.string])
                bench.ledger.record(.mount(mountPoint.string))
                let other = try bench.spawn(["unshare", "--mount", "--propagation", "private", "sleep", "60"])
                let entry = try #require(try MountTable.top(at: mountPoint.string))
                #expect(Deadline(after: .seconds(10)).wait { FuseConnection(entry.minor).elsewhere.contains(other.id) })
                let ended = try run(bench, ["unmount", "--timeout", "1", mountPoint.string])
                #expect(ended.status == .exited(70))
                #expect(ended.output.contains("namespace of process \(other.id) (sleep)"), "\(ended.output)")
                other.kill()
            }
        }

        @Test(arguments: [StopMethod.unmount, .terminate])
        func aCopyInSomebodysNamespaceIsNoDaemonThatHangs(method: StopMethod) throws {
            try withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.transport(.legacy)), source: source, mountPoint: mountPoint, bench: bench)
                // Not of this run: it has no mark.
                let other = try ChildProcess.spawn(["unshare", "--mount", "--propagation", "private", "sleep", "60"])
                defer { other.kill() }
                let connection = try #require(daemon.connection)
                #expect(Deadline(after: .seconds(10)).wait { connection.elsewhere.contains(other.id) })
                let report = daemon.stop(method, within: .seconds(10))
                #expect(report.isComplete && report.seconds < 5, "\(report)")
            }
        }
    }

    /// The names that people give mounts.
    @Suite(.serialized) struct MountedPathTests {
        @Test func linksAndDotsLeadToTheMountAndNoFurther() throws {
            try withBench { bench, source, mountPoint in
                mkdir(source.appending("below").string, 0o755)
                let daemon = try MountedDaemon.start(
                    Target(.transport(.legacy)), source: source, mountPoint: mountPoint, bench: bench)
                let link = bench.folder.appending("link")
                symlink(mountPoint.string, link.string)
                symlink("link", bench.folder.appending("second").string)
                symlink("loop", bench.folder.appending("loop").string)
                // From here on an answer would have to come from the mount table.
                daemon.process?.signal(SIGSTOP)
                defer {
                    daemon.process?.signal(SIGCONT)
                    daemon.forceDown()
                }
                let mount = MountedPath.mount(try #require(daemon.mount))
                for name in ["mnt", "mnt/", "mnt/.", "link", "second/", "source/../mnt", "mnt/../link", "./link/."] {
                    #expect(try MountedPath(FilePath("\(bench.folder)/\(name)")) == mount, "\(name)")
                }
                #expect(
                    try MountedPath(FilePath("\(link)/below/../x"))
                        == .inside(daemon.mount!, mountPoint.appending("below/../x")))
                #expect(try MountedPath(FilePath("\(link)/../source")) == .elsewhere(source))
                #expect(try MountedPath("/") == .elsewhere("/"))
                #expect(throws: Errno.tooManySymbolicLinkLevels) { try MountedPath(bench.folder.appending("loop")) }
                #expect(throws: Errno.noSuchFileOrDirectory) { try MountedPath(bench.folder.appending("no/thing")) }
                #expect(throws: Errno.noSuchFileOrDirectory) { try MountedPath("") }
                #expect(
                    try MountedPath(bench.folder.appending("new")) == .elsewhere(bench.folder.appending("new")))
            }
        }

        @Test func unmountingAndAskingByALink() throws {
            try withBench { bench, source, mountPoint in
                _ = try run(bench, ["mount", "--transport", "legacy", source.string, mountPoint.string])
                bench.ledger.record(.mount(mountPoint.string))
                let link = bench.folder.appending("link")
                symlink("mnt", link.string)
                #expect(try run(bench, ["stats", link.string]).output.contains("legacy on \(mountPoint)"))
                let unmounted = try run(bench, ["unmount", link.string])
                #expect(unmounted.status == .exited(0), "\(unmounted.output)")
                #expect(try MountTable.top(at: mountPoint) == nil)
            }
        }

        @Test func pathsNeedNotBeText() throws {
            try withBench { bench, source, mountPoint in
                let folder = bench.folder
                // Bytes that are no character, and a character that stands for such a byte elsewhere.
                let names =
                    "s=\(folder)/$(printf 'source\\377\\364\\217\\276\\200'); m=\(folder)/$(printf 'mnt\\200 ,x')"
                let tool = "\(program)"
                let script = """
                    \(names); mkdir "$s" "$m" && echo text > "$s/file" &&
                    \(tool) mount --transport legacy "$s" "$m" && cat "$m/file" && \(tool) stats "$m" &&
                    \(tool) unmount "$m" && ! cat "$m/file" 2>&1 && mv "$m" "$s" \(folder)/source
                    """
                let ended = try shell(bench, script)
                #expect(ended.status == .exited(0), "\(ended.output)")
                #expect(ended.output.hasPrefix("text\n"), "\(ended.output)")
            }
        }
    }
}
