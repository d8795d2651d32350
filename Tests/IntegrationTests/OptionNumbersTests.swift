import BenchCore
import Foundation
import Testing

/// Every number that comes from outside, at its ends: refused with a message and status 64, or taken, and never a trap.
@Suite struct OptionNumbersTests {
    /// What an option's value is; the command lines that it is tried in come from the program's own description.
    private enum Kind {
        case text
        case seconds, count, depth, status, seed, factor, shard, mountOptions
        /// Zero is a value.
        case countFromZero, secondsFromZero

        /// What must be refused.
        var wrong: [String] {
            let never = ["", "x", "nan", "-1", "1e300x", "0x10", "1 2", "\u{663}"]
            let never64 = never + ["inf", "1e300", "18446744073709551616"]
            return switch self {
            case .text: []
            case .seconds: never64 + ["0", "1e10", "1e30"]
            case .secondsFromZero: never64 + ["1e10", "1e30"]
            case .count: never64 + ["0", "1.5", "4294967296", "9223372036854775807", "9223372036854775808"]
            case .countFromZero: never64 + ["1.5", "4294967296", "9223372036854775808"]
            case .depth: never64 + ["0", "4097", "2147483648", "4294967297"]
            case .status: never64 + ["256", "2147483648", "4294967296"]
            case .seed: never64 + ["1.5"]
            case .factor: never64 + ["0", "1", "1e9"]
            case .shard:
                [
                    "", "0/2", "3/2", "1/0", "-1/2", "1/9223372036854775807", "1/18446744073709551616", "1", "a/b",
                    "1/2/3",
                ]
            case .mountOptions:
                [
                    "bogus", "depth=0", "writeback,depth=x", "max_write=18446744073709551616", "cache=maybe", "pairs,x",
                    "remount", "transport=legacy", "fallback=legacy",
                ]
            }
        }
    }

    /// Every option of every command that a person types.
    private static let kinds: [String: Kind] = [
        "baseline": .text, "backing": .text, "backing-folder": .text, "cache": .text, "check": .text, "config": .text,
        "daemon": .text, "directory": .text, "fallback": .text, "fault": .text, "file": .text, "format": .text,
        "fsname": .text, "label": .text, "load": .text, "log-file": .text, "mount-helper": .text, "namespace": .text,
        "output": .text, "program": .text, "replay": .text, "scenario": .text, "set-baseline": .text, "suite": .text,
        "target": .text, "transport": .text, "xfstests": .text, "g": .text, "x": .text, "o": .text,
        "mount-option": .mountOptions, "skip": .text, "slow": .factor,
        "accel": .text, "append": .text, "console": .text, "copy": .text, "kernel": .text,
        "attr-timeout": .secondsFromZero, "entry-timeout": .secondsFromZero, "request-timeout": .countFromZero,
        "duration": .seconds, "grace": .seconds, "test-timeout": .seconds, "timeout": .seconds,
        "unmount timeout": .secondsFromZero,
        "cycles": .count, "cpus": .count, "memory": .count, "possible": .count, "numa": .count, "image-size": .count,
        "jobs": .count,
        "limit": .count, "max-write": .count, "pool": .count, "rings": .count,
        "shards": .count, "threads": .count, "rerun-failed": .countFromZero, "depth": .depth, "clean-status": .status,
        "job": .text, "reference": .text, "clients": .count, "rounds": .count, "bench depth": .count,
        "precision": .seconds, "time-budget": .seconds,
        "avoid": .text, "cases": .count, "first": .countFromZero, "times": .count, "matrix times": .text,
        "planned": .text, "columns": .text, "origin": .text, "to": .text, "store": .text,
        "tree": .text, "fragment": .text, "symptom": .text, "good": .text, "bad": .text,
        "seed": .seed, "factor": .factor, "slow-factor": .factor, "shard": .shard,
    ]
    /// What a command cannot do without.
    private static let needed = [
        "mount": ["/nonexistent/source", "/nonexistent/mnt"], "unmount": ["/nonexistent"], "stats": ["/nonexistent"],
        "merge": ["/nonexistent"], "run": ["--kernel", "/nonexistent"], "shell": ["--kernel", "/nonexistent"],
        "matrix shards": ["--plan"],
    ]

    private struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable { let name: String; let kind: String }
            let kind: String
            let names: [Name]?
            let shouldDisplay: Bool
        }
        let commandName: String
        let shouldDisplay: Bool?
        let arguments: [Argument]?
        let subcommands: [Command]?
    }

    private struct Description: Decodable { let command: Command }

    private func run(_ arguments: [String]) throws -> (status: Int32, signal: Bool, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: Mounting.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: "/proc")
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        // What takes a wrong number for a right one might go to work.
        let watchdog = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 30, execute: watchdog)
        defer { watchdog.cancel() }
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, process.terminationReason == .uncaughtSignal, output)
    }

    /// Commands with their path, those left out that no person types.
    private func commands(_ command: Command, _ path: [String]) -> [(path: [String], command: Command)] {
        let hidden = ["help", "bench-helper", "correctness-worker", "xfstests-helper"]
        return [(path, command)]
            + (command.subcommands ?? []).filter { !hidden.contains($0.commandName) && $0.shouldDisplay != false }
            .flatMap { commands($0, path + [$0.commandName]) }
    }

    @Test func everyOptionOfEveryCommandBearsEveryNumber() throws {
        let description = try JSONDecoder().decode(
            Description.self, from: Data(try run(["--experimental-dump-help"]).output.utf8))
        var tried = 0
        for (path, command) in commands(description.command, []) {
            for argument in command.arguments ?? [] where argument.kind == "option" && argument.shouldDisplay {
                let name = try #require(argument.names?.first { $0.kind == "long" } ?? argument.names?.first)
                let kind =
                    OptionNumbersTests.kinds["\(command.commandName) \(name.name)"]
                    ?? OptionNumbersTests.kinds[name.name]
                #expect(kind != nil, "say of what kind \(path) --\(name.name) is")
                let needed =
                    OptionNumbersTests.needed["\(command.commandName) \(name.name)"]
                    ?? OptionNumbersTests.needed[command.commandName] ?? []
                for value in kind?.wrong ?? [] {
                    let ended = try run(path + ["--\(name.name)=\(value)"] + needed)
                    tried += 1
                    // No value at all is the parser's own to refuse.
                    let isNamed = value.isEmpty || ended.output.contains("'\(value)'")
                    #expect(
                        ended.status == 64 && !ended.signal && isNamed,
                        "\(path) --\(name.name)=\(value): \(ended)")
                }
            }
        }
        #expect(tried > 300)
    }

    @Test(
        arguments: [
            "timeout: 1e300", "timeout: .inf", "timeout: .nan", "timeout: -1", "timeout: 0", "timeout: 'x'",
            "timeout: []",
            "cycles: 0", "cycles: 4294967296", "cycles: 18446744073709551616", "cycles: 1.5", "cycles:", "depths: [0]",
            "depths: [4294967297]", "depths: [.nan]", "seed: -1", "seed: 18446744073709551616",
            "daemons: [{name: d, command: c, clean-status: 4294967296}]",
            "daemons: [{name: d, command: c, clean-status: [0, -1]}]",
            "daemons: [{name: d, command: c, clean-status: 256}]",
        ])
    func everyNumberOfTheFileIsChecked(_ line: String) throws {
        let folder = NSTemporaryDirectory() + "/fstestkit-numbers-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/fstestkit.yaml"
        try (line + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let ended = try run(["matrix", "--print-config", "--config", file])
        #expect(ended.status == 64 && ended.output.contains("fstestkit.yaml:1: "), "\(line): \(ended)")
    }

    /// git bisect run would take 64 for "bad".
    @Test func noMistakeIsAnAnswerOfVMTry() throws {
        for arguments in [
            ["--bogus"], ["--", "correctness"], ["--", "matrix", "--kernel", "host"],
            ["--tree", "/tmp", "--", "matrix"],
            ["--output", "/proc/x", "--tree", "/tmp", "--", "matrix"],
        ] { #expect(try run(["vm", "try"] + arguments).status == 128, "\(arguments)") }
        #expect(try run(["vm", "try", "--help"]).status == 0)
    }

    @Test func theLargestAreTaken() throws {
        for arguments in [
            [
                "matrix", "--print-config", "--timeout", "1000000000", "--seed", "18446744073709551615", "--cycles",
                "100000",
            ],
            ["matrix", "--plan", "--seed", "18446744073709551615", "--shards", "10000"],
            ["stop-path", "--list", "--timeout", "1e9", "--seed", "9223372036854775808"],
        ] { #expect(try run(arguments).status == 0, "\(arguments)") }
    }
}
