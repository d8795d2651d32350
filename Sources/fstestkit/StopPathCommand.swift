public import ArgumentParser
import Foundation
import LinuxSystem
import SystemPackage
import BenchCore
import StopPathSuite

struct StopPathCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop-path",
        abstract: "End connections in every way there is, and prove that nothing was left behind.",
        discussion: """
            Runs on this project's transports, or on any other FUSE daemon (--daemon, --mount-helper). Needs root.

            Exit status: 0 when all passed, 1 on any failure, 69 when something asked for is not available here, 70 when \
            something was left that could not be taken down, or results could not be written. docs/stop-path.md describes scenarios and oracles.
            """)

    @OptionGroup var transports: TransportOption
    @OptionGroup var pace: PaceOption
    @Option(parsing: .upToNextOption, help: "all, or names or numbers; see --list.")
    var scenario: [String] = ["all"]
    @Option(help: "Leave out the result of this name: a scenario, or a cycle of one as kill/2. May be given again.")
    var skip: [String] = []
    @Option(help: "Cycles of each scenario on each transport.", transform: Numbers.cycles)
    var cycles: Int?
    @Option(help: "Where the random choices begin; a failing cycle's seed repeats it.", transform: Numbers.seed)
    var seed: UInt64?
    @Option(help: "mixed, metadata, read, write or mmap.")
    var load = LoadKind.mixed
    @Option(help: "Entries of each of the ring's queues.", transform: Numbers.depth)
    var depth: Int?
    @OptionGroup var mountOptions: MountOptionsOption
    @Option(help: "Seconds for everything that must end.", transform: Numbers.seconds)
    var timeout: Double?
    @Option(help: "Where results and evidence go.")
    var output: String?
    @Flag(help: "Say results on standard output, one JSON object a line.")
    var json = false
    @Flag(help: "List scenarios and oracles, and end.")
    var list = false
    @Flag(help: "One cycle of each, with short pauses and power cuts on ext4 alone: some two minutes.")
    var quick = false
    @Option(
        help: "Any daemon, in the foreground: 'COMMAND {source} {mountpoint}'.", transform: DaemonOption.command)
    var daemon: String?
    @Option(help: "Any daemon, through mount -t fuse.TYPE.", transform: DaemonOption.mountHelper)
    var mountHelper: String?
    @Option(
        help: "The daemon's exit status after SIGTERM when all is well. May be given again.", transform: Numbers.status)
    var cleanStatus: [Int32] = [0]
    @Option(help: "What the daemon is called in reports.")
    var label: String?
    @Flag(help: "Run scenarios that change settings of the whole machine.")
    var allowHostChanges = false
    @Option(help: "A fault that this project's daemon shall have in all scenarios; needs --allow-faults.")
    var fault: String?
    @Flag(help: "Let the daemon misbehave on purpose.")
    var allowFaults = false

    func validate() throws {
        if fault != nil && !allowFaults { throw ValidationError("--fault needs --allow-faults") }
        if daemon != nil && mountHelper != nil {
            throw ValidationError("--daemon and --mount-helper exclude each other")
        }
        if fault != nil && (daemon ?? mountHelper) != nil {
            throw ValidationError("--fault is for this project's daemon")
        }
        if (daemon ?? mountHelper) != nil && !transports.transport.isEmpty {
            throw ValidationError("--transport, --daemon and --mount-helper exclude each other")
        }
        if (daemon ?? mountHelper) != nil && !mountOptions.mountOption.isEmpty {
            throw ValidationError("--mount-option is for this project's transports")
        }
        _ = try scenarios()
    }

    func run() throws {
        if list { return printList() }
        guard geteuid() == 0 else {
            throw fail("stop-path mounts, kills and reads kernel stacks: it needs root", .unavailable)
        }
        let scenarios = try scenarios()
        let settings = settings()
        let targets = try targets(seed: settings.seed)
        for target in targets { try DaemonOption.require(target) }
        try? FuseControl.ensureMounted()
        let folder = try OutputFolder.make(output ?? "stop-path-results")
        let bench: Workbench
        do {
            bench = try Workbench(output: folder, pace: pace.pace)
        } catch {
            throw fail("the bench's folders cannot be made: \(error)")
        }
        bench.closeOnSignals()
        printProgress(
            "seed \(settings.seed), \(scenarios.count) scenarios, \(settings.cycles) cycles each, on \(targets.map(\.label).joined(separator: ", "))"
        )
        let runner = StopPathRunner(
            scenarios: scenarios, targets: targets, settings: settings, bench: bench, output: folder,
            repeatCommand: { [self] in repeatCommand($0, $1, $2) },
            listener: StopPathRunner.Listener(
                progress: { [json] line in json ? printProgress(line) : printResult(line + "\n") },
                event: { [json] event in if json { event.emit() } }))
        let outcome = runner.run()
        let cleanUp = bench.close()
        for failure in cleanUp.failures { printProgress("left behind: \(failure)") }
        let report = StopPathReport(outcome.results, output: folder).text
        if json { printProgress(report) } else { printResult("\n" + report) }
        if let stuck = outcome.stuck {
            printProgress("stopped: something was left that could not be taken down, \(stuck)")
        }
        if let lost = outcome.lost { printProgress("stopped: results cannot be kept: \(lost)") }
        let isMissing = scenario != ["all"] && outcome.results.contains { $0.verdict == .skipped && $0.area != "run" }
        try RunStatus(
            hasFailures: outcome.results.contains { $0.verdict.isFailure },
            isStuck: outcome.isStuck || outcome.lost != nil || !cleanUp.failures.isEmpty, isMissing: isMissing
        ).end()
    }

    private func settings() -> StopPathSettings {
        var settings = StopPathSettings()
        settings.isQuick = quick
        settings.cycles = cycles ?? (quick ? 1 : 3)
        settings.seed = seed ?? UInt64.random(in: 1..<1_000_000)
        settings.load = load
        settings.depth = depth
        if let timeout { settings.timeout = .milliseconds(Int(timeout * 1000)) }
        if quick { settings.longestPause = 40 }
        settings.allowHostChanges = allowHostChanges
        settings.allowFaults = allowFaults
        settings.skipped = Set(skip)
        return settings
    }

    private func scenarios() throws -> [any Scenario] {
        if scenario == ["all"] { return Scenarios.all }
        return try Lists.split(scenario, of: "--scenario").map { name in
            guard let scenario = Scenarios.named(name) else {
                throw ValidationError("there is no scenario '\(name)'; --list shows them")
            }
            return scenario
        }
    }

    private func targets(seed: UInt64) throws -> [Target] {
        if let daemon {
            return [Target(.command(daemon), label: label, cleanExitStatuses: Set(cleanStatus))]
        }
        if let mountHelper {
            return [Target(.mountHelper(mountHelper), label: label, cleanExitStatuses: Set(cleanStatus))]
        }
        return try transports.available().flatMap { transport in
            MountOptionSet.sets(mountOptions.mountOption, on: transport, seed: seed).map {
                Target(transport, $0, fault: fault)
            }
        }
    }

    private func repeatCommand(_ scenario: String, _ target: Target, _ seed: UInt64) -> String {
        var words = ["fstestkit", "stop-path", "--scenario", scenario, "--seed", "\(seed)", "--cycles", "1"]
        if let transport = target.transport { words += ["--transport", transport.rawValue] }
        if target.isOurs, let options = target.options.last { words += ["--mount-option", options] }
        if let daemon { words += ["--daemon", quoted(daemon)] }
        if let mountHelper { words += ["--mount-helper", mountHelper] }
        if cleanStatus != [0] { words += cleanStatus.flatMap { ["--clean-status", "\($0)"] } }
        if load != .mixed { words += ["--load", load.rawValue] }
        if let depth { words += ["--depth", "\(depth)"] }
        if let timeout { words += ["--timeout", "\(timeout)"] }
        if quick { words.append("--quick") }
        if let factor = pace.slow { words += ["--slow", "\(factor)"] }
        if allowHostChanges { words.append("--allow-host-changes") }
        if let fault { words += ["--fault", fault, "--allow-faults"] }
        return words.joined(separator: " ")
    }

    private func printList() {
        let width = Scenarios.all.map(\.name.count).max() ?? 0
        for scenario in Scenarios.all {
            let oracles = scenario.oracles.map(\.rawValue).sorted().joined(separator: " ")
            let number = String(repeating: " ", count: scenario.number < 10 ? 1 : 0) + "\(scenario.number)"
            let needs = scenario.needs.contains(.hostChanges) ? "  needs --allow-host-changes" : ""
            print(
                "\(number)  \(scenario.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(scenario.summary)  [\(oracles)]\(needs)"
            )
        }
        print()
        for oracle in Oracle.allCases {
            print(" \(oracle.label.padding(toLength: 14, withPad: " ", startingAt: 0))  \(oracle.summary)")
        }
    }

    /// For people, at once: the last line must be there if the bench is killed.
    private func printResult(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    private func printProgress(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}

extension LoadKind: ExpressibleByArgument {}
