import ArgumentParser
import BenchCore
import Faults
import Foundation
import LinuxSystem
import SpeedSuite
import SystemPackage
import TestMatrix

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast mounts are, beside a reference and the plain directory.",
        discussion: """
            Transports and other daemons (--daemon, also several) take turns in rounds of random order, each time on a fresh mount. \
            What is said are ratios of medians with their 95 % interval; "faster" and "slower" only where that leaves 1 out. \
            Clients are fio's. Needs root. docs/bench.md tells how it is measured, and what the jobs are.

            Exit status: 0 if everything was measured, 1 if a job failed somewhere, 64 for a wrong option, 69 if what was asked for \
            is not to be had. Whether something became slower, fstestkit compare tells.
            """)

    @OptionGroup var transports: TransportOption
    @OptionGroup var pace: PaceOption
    @Option(
        help: ArgumentHelp(
            "A daemon's command, with {source} and {mountpoint} in it, in the foreground; a name and = may stand before it. May be given again.",
            valueName: "[name=]command"))
    var daemon: [String] = []
    @Option(help: "A mount helper: the mount is made by mount -t fuse.TYPE.", transform: DaemonOption.mountHelper)
    var mountHelper: String?
    @Option(help: "What the mount helper is called in reports.")
    var label: String?
    @Option(help: "A directory in which the source is made (default: TMPDIR). May be given again.")
    var directory: [String] = []
    @Option(
        help: ArgumentHelp(
            "Jobs by name, all, or a file for fio (*.fio), with commas; may be given again.", valueName: "jobs"))
    var job: [String] = []
    @Option(help: "Numbers of clients, with commas (default: 1 and many).", transform: BenchCommand.counts)
    var clients: [Int]?
    @Option(help: "Operations under way for each client of a direct job, with commas.", transform: BenchCommand.counts)
    var depth: [Int]?
    @OptionGroup var mountOptions: MountOptionsOption
    @Option(help: "What the others are compared with (default: the first subject, or directory beside a single one).")
    var reference: String?
    @Option(help: "So many rounds.", transform: Numbers.cycles)
    var rounds: Int?
    @Option(
        help: "Rounds until each interval is so narrow: half of it, in % of the ratio (default: 3%).",
        transform: BenchCommand.share)
    var precision: Double?
    @Option(
        help: "Seconds, or minutes as 10min, after which no round is begun (default: 15min, with --quick 150).",
        transform: BenchCommand.time)
    var timeBudget: Double?
    @Flag(help: "A few jobs, in less than three minutes.")
    var quick = false
    @Option(help: "Of all that is random (default: drawn, and printed).", transform: Numbers.seed)
    var seed: UInt64?
    @Flag(
        help: """
            Count instructions for each READ, WRITE, LOOKUP and GETATTR in place of time, in a guest whose clock counts them, \
            whatever else goes on here.
            """)
    var steady = false
    @Option(help: "With --steady: the guest's kernel, as vm run takes it (default: deb:6.18).")
    var kernel: String?
    @Option(help: "With --steady: a fault that the daemon shall have; needs --allow-faults.")
    var fault: String?
    @Flag(help: "Let the daemon misbehave on purpose.")
    var allowFaults = false
    @Flag(help: "Results on standard output, a line of JSON for each; words on standard error. Nothing is stored.")
    var json = false
    @Option(help: "The folder with the results; with --json, of this run's files alone.")
    var output: String?

    func validate() throws {
        if rounds != nil && precision != nil { throw ValidationError("--rounds and --precision exclude each other") }
        if fault != nil && !allowFaults { throw ValidationError("--fault needs --allow-faults") }
        if !steady && (kernel != nil || fault != nil) { throw ValidationError("--kernel and --fault go with --steady") }
        if steady && (mountHelper != nil || !job.isEmpty || clients != nil || depth != nil) {
            throw ValidationError("--steady counts single requests, and takes neither jobs nor a mount helper")
        }
        if mountHelper?.isEmpty == false, !daemon.isEmpty {
            throw ValidationError("--daemon and --mount-helper exclude each other")
        }
        if let fault, Fault(rawValue: fault) == nil {
            throw ValidationError("there is no fault \(fault): \(Fault.names)")
        }
        if label != nil, mountHelper == nil {
            throw ValidationError(
                "--label goes with --mount-helper; a daemon's name stands before its command (NAME=COMMAND)")
        }
        if directory.contains("") { throw ValidationError("--directory names nothing") }
        for command in daemon {
            if !command.contains("{mountpoint}") {
                throw ValidationError("the command '\(command)' names no {mountpoint}")
            }
            let target = BenchCommand.foreign(command)
            if !target.hasSource {
                throw ValidationError("a daemon whose command names no {source} has none to measure over")
            }
        }
        _ = try jobs()
    }

    func run() throws {
        if steady { return try runSteady() }
        guard geteuid() == 0 else {
            throw fail("bench mounts and counts what the kernel does: it needs root", .unavailable)
        }
        if Target(.command("fio")).missingProgram != nil {
            throw fail("there is no fio, which is who measures; apt install fio", .unavailable)
        }
        #if DEBUG
            notice("a debug build is slower than the transports are; scripts/bench builds for speed")
        #endif
        let settings = try settings()
        let folder =
            try json ? OutputFolder.make(output, of: "bench") : OutputFolder.make(output ?? "fstestkit-results")
        let signals = StopSignals()
        let archive =
            try json
            ? nil
            : words {
                try SpeedArchive.begin(
                    in: folder.string, settings.seed, tool: Fstestkit.configuration.version,
                    commandLine: CommandLine.arguments)
            }
        let files = archive.map { FilePath($0.folder) } ?? folder
        let bench: Workbench
        do {
            bench = try Workbench(output: files, pace: pace.pace)
        } catch {
            throw fail("no temporary directory can be made: \(error)")
        }
        let session: SpeedSession
        do throws(SpeedUnavailable) {
            session = try SpeedSession(settings, bench: bench)
        } catch {
            bench.close()
            throw fail(error.reason, .unavailable)
        }
        let view = BenchView(json: json, session.record)
        session.run(isStopped: { signals.received != nil }) { view.show($0, session.record) }
        let left = bench.close().failures
        var record = session.record
        record.tool = Fstestkit.configuration.version
        view.finish(record, left)
        let pages = try words { try SpeedFiles(record).write(to: files.string) }
        let results = results(of: record, pages)
        if json {
            for result in results { SuiteEvent.finished(result).emit() }
        } else if let archive {
            try words { try archive.end(record, results) }
            print("page: \(files.appending("bench.html"))\nrun: \(archive.run.id)")
        }
        if let signal = signals.received { throw ExitCode(128 + signal) }
        try RunStatus(hasFailures: results.contains { $0.verdict.isFailure }, isStuck: !left.isEmpty).end()
    }

    private func runSteady() throws {
        let names = try transports.names() ?? (daemon.isEmpty ? TransportName.allCases : [])
        for command in daemon { try DaemonOption.require(BenchCommand.foreign(command)) }
        try requireNames(names.map(\.rawValue) + daemon.map { BenchCommand.foreign($0).label })
        let steady = SteadyBench(
            transports: names.map(\.rawValue), mountOptions: mountOptions.mountOption, daemons: daemon, fault: fault,
            kernel: kernel ?? "deb:6.18", json: json)
        let folder = try json ? nil : OutputFolder.make(output ?? "fstestkit-results")
        let began = Date()
        let (results, machine, failure) = try steady.run()
        if let folder, !results.isEmpty { try keep(results, machine, in: folder, since: began) }
        if let failure { throw failure }
    }

    private func keep(_ results: [TestResult], _ machine: SuiteMachine?, in folder: FilePath, since began: Date) throws
    {
        try words {
            let archive = try SpeedArchive.begin(
                in: folder.string, 0, tool: Fstestkit.configuration.version, commandLine: CommandLine.arguments,
                at: began)
            try archive.end(results, in: machine)
            print("run: \(archive.run.id)")
        }
    }

    /// As tests; for the matrix those of what it runs on alone, beside which the plain directory is a ruler.
    private func results(of record: SpeedRecord, _ evidence: [String]) -> [TestResult] {
        record.subjects.indices.filter { !json || record.subjects.count == 1 || $0 != directoryIndex(record) }
            .flatMap { record.results(of: $0, evidence: json ? evidence : []) }
    }

    private func directoryIndex(_ record: SpeedRecord) -> Int? { record.subjects.firstIndex { $0.isDirectory } }

    private func settings() throws -> SpeedSettings {
        let seed = seed ?? UInt64.random(in: 1...999_999_999)
        let subjects = try subjects(seed)
        try requireNames(subjects.map(\.label))
        let usual = subjects.count > 2 ? subjects[0].label : "directory"
        let reference = reference ?? usual
        if !subjects.contains(where: { $0.label == reference }) {
            let known = subjects.map(\.label).joined(separator: ", ")
            throw fail("there is no subject '\(reference)' to compare with; there are \(known)", .validationFailure)
        }
        var settings = SpeedSettings(
            subjects: subjects, reference: reference, jobs: try jobs(), directories: try directories(), seed: seed)
        if quick { settings.makeQuick() }
        settings.rounds = rounds
        if let precision { settings.precision = precision }
        if let timeBudget { settings.timeBudget = .milliseconds(Int(timeBudget * 1000)) }
        return settings
    }

    /// No two subjects have the same one.
    private func requireNames(_ names: [String]) throws {
        let twice = Dictionary(grouping: names, by: \.self).filter { $0.value.count > 1 }.keys.min()
        guard let twice else { return }
        throw fail("there are two subjects '\(twice)': give one a name (NAME=COMMAND)", .validationFailure)
    }

    private func subjects(_ seed: UInt64) throws -> [Target] {
        var subjects: [Target] = []
        let isForeign = !daemon.isEmpty || mountHelper != nil
        if try !isForeign || transports.names() != nil {
            for transport in try transports.available() {
                for set in MountOptionSet.sets(mountOptions.mountOption, on: transport, seed: seed) {
                    subjects.append(Target(transport, set))
                }
            }
        }
        subjects += daemon.map(BenchCommand.foreign)
        if let mountHelper {
            subjects.append(Target(.mountHelper(mountHelper), label: label, cleanExitStatuses: [0, 1]))
        }
        for target in subjects { try DaemonOption.require(target) }
        return subjects + [Target(.directory)]
    }

    /// `ring=passthrough_hp -f …`: a name that begins with a letter and has no blank or slash in it.
    static func foreign(_ text: String) -> Target {
        if let match = text.wholeMatch(of: #/([A-Za-z][A-Za-z0-9._-]*)=(.*)/#), String(match.2).contains("{source}") {
            return Target(.command(String(match.2)), label: String(match.1), cleanExitStatuses: [0, 1])
        }
        return Target(.command(text), cleanExitStatuses: [0, 1])
    }

    private func directories() throws -> [FilePath] {
        let temporary = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        return try (directory.isEmpty ? [temporary] : directory).map { path in
            try Place.directory(OutputFolder.path(path), "directory")
        }.eachOnce()
    }

    private func jobs() throws -> [SpeedJob] {
        let names = try Lists.split(job, of: "--job")
        if names.isEmpty {
            let usual = quick ? SpeedJobs.quick : SpeedJobs.usual
            if clients == nil && depth == nil { return usual }
            var seen: Set<String> = []
            let each = usual.filter { seen.insert($0.name).inserted }.compactMap { SpeedJobs.named($0.name) }
            return SpeedJobs.variants(each, clients: clients ?? [1, SpeedJobs.many], depths: depth ?? [1])
        }
        let chosen = try names.flatMap { name -> [SpeedJob] in
            if name == "all" { return SpeedJobs.all }
            if name.hasSuffix(".fio") { return [try BenchCommand.file(name)] }
            if let job = SpeedJobs.named(name) { return [job] }
            let known = SpeedJobs.all.map(\.name).joined(separator: ", ")
            throw ValidationError("there is no job '\(name)'; there are \(known), all, and files for fio (*.fio)")
        }
        let jobs = chosen.eachOnce()
        if let twice = Dictionary(grouping: jobs, by: \.name).filter({ $0.value.count > 1 }).keys.min() {
            throw ValidationError("there are two jobs '\(twice)': jobs are told apart by their names, files by theirs")
        }
        return SpeedJobs.variants(jobs, clients: clients ?? [1, SpeedJobs.many], depths: depth ?? [1])
    }

    private static func file(_ name: String) throws -> SpeedJob {
        let path = try OutputFolder.path(name)
        guard let text = try? String(contentsOfFile: path.string, encoding: .utf8) else {
            throw ValidationError("'\(name)' cannot be read")
        }
        if text.contains(#/(?m)^\s*directory\s*=/#) || text.contains(#/(?m)^\s*filename\s*=\s*\//#) {
            throw ValidationError("'\(name)' names a directory: where its files lie is the bench's to say")
        }
        if !text.contains(#/(?m)^\s*(include\s|\[(?!global\]))/#) {
            throw ValidationError("'\(name)' has no job: a line such as [name], with its options below")
        }
        let title = (path.lastComponent?.stem ?? name)
        return SpeedJob(title, .file(path), clients: 0, summary: name)
    }

    private static func counts(_ text: String) throws -> [Int] {
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        do {
            return try words.map { try Numbers.count($0, 1...1024) }.eachOnce()
        } catch {
            throw ValidationError("it takes whole numbers from 1 to 1024 with commas, not '\(text)'")
        }
    }

    /// `3%` as 0.03.
    private static func share(_ text: String) throws -> Double {
        let number = text.hasSuffix("%") ? String(text.dropLast()) : text
        guard number.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }), let value = Double(number), value >= 0.1,
            value <= 100
        else { throw ValidationError("it takes percent from 0.1 to 100, not '\(text)'") }
        return value / 100
    }

    /// `600`, `600s`, `10min`.
    private static func time(_ text: String) throws -> Double {
        for (unit, factor) in [("min", 60.0), ("s", 1.0), ("", 1.0)] where text.hasSuffix(unit) {
            guard let value = try? Numbers.seconds(String(text.dropLast(unit.count))), value * factor <= 1e6 else {
                break
            }
            return value * factor
        }
        throw ValidationError("it takes seconds, or minutes as 10min, up to 1000000 s, not '\(text)'")
    }
}

extension Array where Element: Equatable {
    fileprivate func eachOnce() -> [Element] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
