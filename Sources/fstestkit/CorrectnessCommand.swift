import ArgumentParser
import Foundation
import LinuxSystem
import SystemPackage
import BenchCore
import CorrectnessSuite

struct CorrectnessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correctness",
        abstract: "Check that a filesystem does what the manual pages say.",
        discussion: """
            Runs on this project's transports (all three by default), on any other FUSE daemon, or on a plain directory. The \
            random parts are named differential-sequences, concurrent-sequences, integrity-under-load and \
            integrity-after-remount; --check takes these names too.

            Exit status: 0 if all passed, 1 if a check failed, 64 for a wrong option, 69 if what was asked for is not to be had, \
            70 if something was left behind or results could not be written.
            """)

    @OptionGroup var transports: TransportOption
    @OptionGroup var pace: PaceOption
    @Option(
        help: "A daemon's command, with {source} and {mountpoint} in it; it must stay in the foreground.",
        transform: DaemonOption.command)
    var daemon: String?
    @Option(help: "A mount helper: the mount is made by mount -t fuse.TYPE.", transform: DaemonOption.mountHelper)
    var mountHelper: String?
    @Option(help: "A plain directory: the control, without a daemon.")
    var directory: FilePath?
    @Option(parsing: .upToNextOption, help: "Run these checks only.")
    var check: [String] = []
    @Option(help: "Leave out this check. May be given again.")
    var skip: [String] = []
    @Option(help: "Of all that is random (default: drawn, and printed).", transform: Numbers.seed)
    var seed: UInt64?
    @Option(
        help: "Seconds for each target; without it the list runs once, and the random parts for some seconds.",
        transform: Numbers.seconds)
    var duration: Double?
    @Flag(help: "All checks, and a quarter of what is random: half the time.")
    var quick = false
    @Option(help: "Entries of each of the ring's queues.", transform: Numbers.depth)
    var depth: Int?
    @OptionGroup var mountOptions: MountOptionsOption
    @Option(help: "Processes that check at the same time.", transform: { try Numbers.count($0, 1...1024) })
    var jobs = 2
    @Flag(help: "Results as they come, a line of JSON for each, on standard output; words on standard error.")
    var json = false
    @Option(help: "Where evidence of failures goes (default: a new directory, named at the end).")
    var output: String?
    @Option(help: "Run the operations of this script on the target and on a plain directory, and compare.")
    var replay: String?

    func validate() throws {
        let kinds = [!transports.transport.isEmpty, daemon != nil, mountHelper != nil, directory != nil].filter { $0 }
            .count
        if kinds > 1 {
            throw ValidationError("--transport, --daemon, --mount-helper and --directory exclude each other")
        }
        if quick && duration != nil { throw ValidationError("--quick and --duration exclude each other") }
        if !mountOptions.mountOption.isEmpty && transportsExcluded {
            throw ValidationError("--mount-option is for this project's transports")
        }
        var options = CorrectnessOptions()
        (options.checks, options.skipped) = try (Lists.split(check, of: "--check"), skip)
        if let name = options.unknownChecks.first { throw ValidationError("there is no check \(name)") }
    }

    /// Whether something else than this project's transports is the target.
    private var transportsExcluded: Bool { daemon != nil || mountHelper != nil || directory != nil }

    func run() throws {
        var options = CorrectnessOptions()
        (options.checks, options.skipped) = try (Lists.split(check, of: "--check"), skip)
        options.seed = seed ?? UInt64.random(in: 1...999_999_999)
        options.duration = duration
        options.isQuick = quick
        options.jobs = jobs
        options.pace = pace.pace
        if let replay {
            guard let text = try? String(contentsOfFile: replay, encoding: .utf8) else {
                throw fail("\(replay) cannot be read", .validationFailure)
            }
            options.replay = text
        }
        let targets = try targets(seed: options.seed)
        for target in targets { try DaemonOption.require(target) }
        let directory = try directory.map { try Place.directory($0, "directory").string }
        let report = CorrectnessReport(json: json, seed: options.seed)
        let outcome: CorrectnessSession.Outcome
        do {
            outcome = try CorrectnessSession(
                targets: targets, directory: directory, options: options,
                output: try OutputFolder.make(output, of: "correctness")
            ).run { report.show($0) }
        } catch let error as CorrectnessUnavailable {
            throw fail(error.description, .unavailable)
        }
        report.finish(outcome)
        try RunStatus(
            hasFailures: outcome.results.contains { $0.verdict.isFailure },
            isStuck: !outcome.leftBehind.isEmpty || outcome.lost != nil
        ).end()
    }

    private func targets(seed: UInt64) throws -> [Target] {
        if directory != nil { return [Target(.directory)] }
        if let daemon { return [Target(.command(daemon), cleanExitStatuses: [0, 1])] }
        if let mountHelper { return [Target(.mountHelper(mountHelper))] }
        return try transports.available().flatMap { transport in
            MountOptionSet.sets(mountOptions.mountOption, on: transport, seed: seed).map { set in
                var target = Target(transport, set)
                if let depth, transport.usesRing { target.options += ["--depth", "\(depth)"] }
                return target
            }
        }
    }
}
