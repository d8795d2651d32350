import BenchCore
import CorrectnessSuite
import Glibc
import SystemPackage
import Testing

extension Mounting {
    /// The examples, which use nothing but what the library gives to everyone.
    @Suite(.serialized) struct ExamplesTests {
        static func program(_ name: String) -> String {
            FilePath(Mounting.program).removingLastComponent().appending(name).string
        }

        @Test(arguments: TransportName.allCases) func helloFSIsReadAndStops(transport: TransportName) throws {
            try Mounting.withBench { bench, source, mountPoint in
                let command = "\(ExamplesTests.program("HelloFS")) --transport \(transport.rawValue) {mountpoint}"
                let daemon = try MountedDaemon.start(
                    Target(.command(command)), source: source, mountPoint: mountPoint, bench: bench)
                let clients = [
                    ("cat", ["cat", "\(mountPoint)/hello"], "Hello, world!\n"),
                    ("ls", ["ls", "-a", mountPoint.string], ".\n..\nhello\n"),
                    // What a filesystem that has neither answers by itself.
                    ("stat", ["stat", "--file-system", "--format", "%T", mountPoint.string], "fuseblk\n"),
                    ("mkdir", ["mkdir", "\(mountPoint)/d"], "Operation not permitted"),
                    ("touch", ["touch", "\(mountPoint)/new"], "Operation not permitted"),
                    ("write", ["sh", "-c", "echo x | tee -a \(mountPoint)/hello"], "Operation not permitted"),
                    ("missing", ["cat", "\(mountPoint)/missing"], "No such file or directory"),
                ]
                for (name, arguments, expected) in clients {
                    let child = try ChildProcess.spawn(
                        ["env"] + arguments, output: bench.folder.appending("\(name).txt"))
                    #expect(child.wait(.seconds(10)) != nil)
                    #expect(child.output.contains(expected), "\(name): \(child.output)")
                }
                daemon.process?.signal(SIGTERM)
                #expect(daemon.process?.wait(.seconds(10)) == .exited(0))
            }
        }

        /// More readers than there are threads or entries, each of whom waits a second: they wait at the same time.
        @Test(arguments: TransportName.allCases) func slowFSHoldsNobodyUp(transport: TransportName) throws {
            try Mounting.withBench { bench, source, mountPoint in
                let command = "\(ExamplesTests.program("SlowFS")) --transport \(transport.rawValue) {mountpoint}"
                let daemon = try MountedDaemon.start(
                    Target(.command(command)), source: source, mountPoint: mountPoint, bench: bench)
                let start = ContinuousClock.now
                let readers = try (0..<60).map { number in
                    try ChildProcess.spawn(
                        ["env", "cat", "\(mountPoint)/\(number)"], output: bench.folder.appending("\(number).txt"))
                }
                for (number, reader) in readers.enumerated() {
                    #expect(reader.wait(.seconds(30)) == .exited(0))
                    #expect(reader.output == "This is file \(number).\n")
                }
                #expect(ContinuousClock.now - start < .seconds(15), "one after the other it takes a minute")
                // A signal ends the wait, and so does the end of the daemon.
                let interrupted = try ChildProcess.spawn(["env", "cat", "\(mountPoint)/100"])
                let left = try ChildProcess.spawn(["env", "cat", "\(mountPoint)/101"])
                usleep(200_000)
                interrupted.signal(SIGINT)
                #expect(interrupted.wait(.seconds(10)) == .signalled(SIGINT, coreDumped: false))
                daemon.process?.signal(SIGTERM)
                #expect(daemon.process?.wait(.seconds(10)) == .exited(0))
                #expect(left.wait(.seconds(10)) != nil)
            }
        }

        @Test func aWrongCommandLineIsRefused() throws {
            for arguments in [[], ["--transport", "carrier-pigeon", "/mnt"], ["--nonsense", "/mnt"], ["a", "b"]] {
                let child = try ChildProcess.spawn(
                    [ExamplesTests.program("HelloFS")] + arguments,
                    output: FilePath("/tmp/fstestkit-example-\(getpid()).log"))
                #expect(child.wait(.seconds(10)) == .exited(64), "\(arguments): \(child.output)")
            }
        }

        /// What an example does without, and says so here: the other checks must pass or be skipped for want of a feature.
        private static let absent: [String: Set<String>] = [
            // Whether a caller is in a file's group it would have to look up: the kernel does not tell.
            "MemoryFS": ["chown-drops-set-id"],
            // A source that others change, or mount in, at the worst moment, and files that are the caller's from the first moment
            // on: LoopbackFS shows what that takes.
            "PassthroughFS": [
                "never-seen-with-the-wrong-owner", "chown-drops-set-id",
                "lease-behind-blocks-nobody-else", "sticky-entry-replaced-behind", "read-only-mount-in-the-source",
                "mount-in-the-source-can-be-unmounted",
            ],
        ]

        private static let cells: [(String, TransportName)] =
            TransportName.allCases.map { ("MemoryFS", $0) } + TransportName.allCases.map { ("PassthroughFS", $0) }

        private static func command(_ example: String, _ transport: TransportName) -> String {
            let source = example == "MemoryFS" ? "" : "{source} "
            return "\(program(example)) --transport \(transport.rawValue) -o allow_other \(source){mountpoint}"
        }

        /// PassthroughFS leaves data to the transport, as LoopbackFS does, which is checked on all of them.
        @Test(arguments: cells.filter { $0.0 == "MemoryFS" || $0.1 == .uringPercore })
        func correctness(example: String, transport: TransportName) throws {
            let target = Target(.command(ExamplesTests.command(example, transport)))
            let outcome = try CorrectnessTests.run(target) { options in
                options.duration = 1
            }
            #expect(outcome.leftBehind == [])
            let absent = try #require(ExamplesTests.absent[example])
            var passed = 0
            for var result in outcome.results where !absent.contains(result.name) {
                // As in the run of our own daemon: on a busy machine a close(2) may be late.
                for _ in 0..<3 where result.verdict.isFailure {
                    let again = try CorrectnessTests.run(target) { $0.checks = [result.name] }
                    result = try #require(again.results.first { $0.name == result.name })
                }
                #expect(!result.verdict.isFailure, "\(result.name): \(result.message)")
                if result.verdict == .passed { passed += 1 }
            }
            #expect(passed > 220)
        }

        /// All of it for the one, and for the other what concerns its own code.
        @Test(arguments: cells) func stopPath(example: String, transport: TransportName) throws {
            let some = ["--scenario", "1", "3", "4", "17", "23", "25", "27", "37", "39", "40"]
            let (status, text) = try StopPathTests.stopPath(
                ["--daemon", ExamplesTests.command(example, transport)] + (example == "MemoryFS" ? [] : some),
                within: .seconds(600))
            #expect(status == .exited(0), "\(text)")
        }
    }
}
