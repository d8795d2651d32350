import ArgumentParser
import Foundation
import HostileSourceSuite
import LinuxSystem
import SystemPackage
import BenchCore

struct HostileSourceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hostile-source",
        abstract: "Change the source behind the daemon at every moment, and look what clients get.",
        discussion: """
            Clients of several users work on the mount while an adversary renames, replaces, removes and mounts over what lies \
            behind it. Nobody may get what the source would not have given, nothing may hang, nothing outside may be \
            touched. Needs root. The source is made in TMPDIR.

            Exit status: 0 if nothing was found, 1 if something was, 64 for a wrong option, 69 if what was asked for is not \
            to be had.
            """)

    @OptionGroup var transports: TransportOption
    @OptionGroup var pace: PaceOption
    @Option(
        help: "A daemon's command, with {source} and {mountpoint} in it, in the foreground, with allow_other.",
        transform: DaemonOption.command)
    var daemon: String?
    @Option(help: "A mount helper: the mount is made by mount -t fuse.TYPE.", transform: DaemonOption.mountHelper)
    var mountHelper: String?
    @Option(help: "No daemon: clients and adversary share a new folder in this directory, as a control.")
    var directory: String?
    @Option(help: "What the daemon is called in reports.")
    var label: String?
    @Option(
        help: "The daemon's exit status after SIGTERM when all is well. May be given again.", transform: Numbers.status)
    var cleanStatus: [Int32] = []
    @Option(help: "Seconds on each target (default: 20).", transform: Numbers.seconds)
    var duration: Double?
    @Flag(help: "4 seconds on each target.")
    var quick = false
    @Option(help: "Of all that is random (default: drawn, and printed).", transform: Numbers.seed)
    var seed: UInt64?
    @Option(help: "Entries of each of the ring's queues.", transform: Numbers.depth)
    var depth: Int?
    @OptionGroup var mountOptions: MountOptionsOption
    @Option(help: "A fault that this project's daemon shall have; needs --allow-faults.")
    var fault: String?
    @Flag(help: "Let the daemon misbehave on purpose.")
    var allowFaults = false
    @Flag(help: "Results on standard output, a line of JSON for each; words on standard error.")
    var json = false
    @Option(help: "Where evidence goes (default: a new directory, named at the end).")
    var output: String?

    func validate() throws {
        let kinds = [!transports.transport.isEmpty, daemon != nil, mountHelper != nil, directory != nil].filter { $0 }
            .count
        if kinds > 1 {
            throw ValidationError("--transport, --daemon, --mount-helper and --directory exclude each other")
        }
        if let daemon, !Target(.command(daemon)).hasSource {
            throw ValidationError("a daemon whose command names no {source} has none that could change")
        }
        if fault != nil && !allowFaults { throw ValidationError("--fault needs --allow-faults") }
        let isOurs = daemon == nil && mountHelper == nil && directory == nil
        if !isOurs && !(mountOptions.mountOption.isEmpty && fault == nil && depth == nil) {
            throw ValidationError("--mount-option, --depth and --fault are for this project's daemon")
        }
    }

    func run() throws {
        guard geteuid() == 0 else {
            throw fail("hostile-source acts as several users and mounts: it needs root", .unavailable)
        }
        var settings = HostileSourceSettings()
        settings.seed = seed ?? UInt64.random(in: 1...999_999_999)
        if quick { settings.duration = HostileSourceSettings.quick }
        if let duration { settings.duration = .milliseconds(Int(duration * 1000)) }
        let targets = try targets(seed: settings.seed)
        for target in targets { try DaemonOption.require(target) }
        let folder = try OutputFolder.make(output, of: "hostile-source")
        let bench: Workbench
        do {
            bench = try Workbench(output: folder, pace: pace.pace)
        } catch {
            throw fail("no temporary directory can be made: \(error)")
        }
        bench.closeOnSignals()
        let report = HostileSourceReport(json: json, seed: settings.seed, targets: targets.count)
        var results: [TestResult] = []
        do {
            results = try HostileSourceSession(
                targets: targets, directory: directory.map { FilePath($0) }, settings: settings, bench: bench
            ).run { report.show($0) }
        } catch let error as HostileSourceUnavailable {
            bench.close()
            throw fail(error.description, .unavailable)
        }
        let left = bench.close().failures
        for line in left { report.line("left behind: \(line)") }
        report.finish(results, output: folder.string)
        if let lost = bench.keeping.loss { report.line("results cannot be kept: \(lost)") }
        try RunStatus(
            hasFailures: results.contains { $0.verdict.isFailure },
            isStuck: !left.isEmpty || bench.keeping.loss != nil
        ).end()
    }

    private func targets(seed: UInt64) throws -> [Target] {
        if directory != nil { return [Target(.directory)] }
        let statuses = Set(cleanStatus)
        if let daemon {
            return [
                Target(.command(daemon), label: label, cleanExitStatuses: statuses.isEmpty ? [0, 1] : statuses)
            ]
        }
        if let mountHelper {
            return [
                Target(
                    .mountHelper(mountHelper), label: label, cleanExitStatuses: statuses.isEmpty ? [0, 1] : statuses)
            ]
        }
        return try transports.available().flatMap { transport in
            MountOptionSet.sets(mountOptions.mountOption, on: transport, seed: seed).map { set in
                var target = Target(transport, set, fault: fault)
                if let depth, transport.usesRing { target.options += ["--depth", "\(depth)"] }
                return target
            }
        }
    }
}
