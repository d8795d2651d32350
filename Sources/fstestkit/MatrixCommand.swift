import ArgumentParser
import Foundation
import LinuxSystem
import BenchCore
import SystemPackage
import TestMatrix
import VirtualMachines

struct MatrixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix",
        abstract: "Run every suite on every transport, keep all results, and report.",
        discussion: """
            Without arguments: the built-in suites on every transport, and xfstests where a checkout is named. What this machine \
            cannot run is left out, with the reason. Results go to results.sqlite in the output folder, evidence and reports \
            beside it.

            Exit status: 0 when all passed, 1 on any failure, 64 for a wrong option, 69 when something that was asked for is not \
            available here, 128 and the signal's number when interrupted. docs/ci.md tells how CI uses it.
            """)

    @OptionGroup var options: MatrixOptions
    @OptionGroup var pace: PaceOption
    @Option(
        help: ArgumentHelp(
            "Run the K-th of N parts only: K/N, or auto for the one that a scheduler means (Slurm, Kubernetes, GitLab)."
        ))
    var shard: String?
    @Option(help: "With --shard: the plan that --plan --shards has printed, whose seed and parts are taken.")
    var planned: String?
    @Flag(
        help: "Go on with the last run here that was interrupted or killed; with --shard, begin it if there is none.")
    var resume = false
    @Flag(help: "Print the cells as JSON, as a CI system's matrix takes it, and end.")
    var plan = false
    @Option(
        help: "With --plan: one entry for each of so many shards (default: for each cell).", transform: Shard.count)
    var shards: Int?
    @Option(help: "With --shards: a folder of results that tell how long cells take, so that shards take equally long.")
    var times: String?
    @Flag(help: "Print what is in force and where it came from, and end.")
    var printConfig = false
    @Flag(help: "Compare later runs with this one, if it passes.")
    var baseline = false

    func validate() throws {
        if let shard, shard != "auto", Shard(shard) == nil {
            throw ValidationError("--shard takes K/N with K from 1 to N, or auto, not '\(shard)'")
        }
        if shards != nil && !plan { throw ValidationError("--shards goes with --plan") }
        if times != nil && shards == nil { throw ValidationError("--times goes with --plan --shards N") }
        if planned != nil && shard == nil { throw ValidationError("--planned goes with --shard") }
        if resume && plan { throw ValidationError("--resume goes on with what was planned then") }
    }

    func run() throws {
        var resolved = try options.resolved()
        if printConfig { return show(resolved) }
        if plan { return try printPlan(resolved.configuration) }
        let document = try readPlan()
        if let document {
            let seed = resolved.configuration.seed ?? document.seed
            if seed != document.seed {
                throw ValidationError("\(planned ?? "") has the seed \(document.seed), not \(seed)")
            }
            resolved.configuration.seed = seed
        }
        let part = try part(of: document)
        if resume && part != nil && resolved.configuration.seed == nil {
            throw ValidationError("--resume with --shard has to know the plan's seed: --planned FILE, or --seed")
        }
        _ = try OutputFolder.make(resolved.configuration.output)
        let signals = StopSignals()
        let session = try words { try begin(resolved.configuration, part, document) }
        for line in session.cleanedUp { notice("after the killed run: \(line)") }
        let bench: Workbench
        do {
            bench = try Workbench(output: .init(session.folder.path), pace: pace.pace)
        } catch {
            throw fail("the bench's folders cannot be made: \(error)")
        }
        defer { bench.close() }
        let view = ProgressFile(
            folder: session.folder.path, shard: session.run.shard,
            beside: Terminal.isLive
                ? LiveView(LiveScreen(color: Terminal.hasColor))
                : PlainView { FileHandle.standardOutput.write(Data("\($0)\n".utf8)) })
        let ended = try words {
            defer { view.close() }
            return try MatrixRunner(
                store: session.store, plan: session.plan, run: session.run, cells: session.cells,
                folder: session.folder,
                bench: bench, program: bench.program, view: view, isStopped: { signals.received != nil }
            ).runAll()
        }
        try finish(ended, session, resolved, signals)
    }

    private func printPlan(_ configuration: MatrixConfiguration) throws {
        let seed = configuration.seed ?? UInt64.random(in: 1...999_999_999)
        let store = try times.map { folder in try words { try MatrixSession.store(in: folder, mustExist: true) } }
        print(try words { try MatrixPlan(configuration, seed: seed).json(shards: shards, timesFrom: store) })
    }

    private func readPlan() throws -> PlanDocument? {
        guard let planned else { return nil }
        do throws(PlanDocument.Refusal) {
            return try PlanDocument(path: planned)
        } catch {
            throw ValidationError(error.what)
        }
    }

    private func part(of document: PlanDocument?) throws -> Shard? {
        guard let shard else { return nil }
        guard shard == "auto" else {
            let shard = Shard(shard)
            if let shard, let count = document?.count, shard.count != count {
                throw ValidationError("--shard \(shard): the plan has \(count) shards")
            }
            return shard
        }
        do throws(ScheduledShard.Unknown) {
            return try ScheduledShard.shard(ProcessInfo.processInfo.environment, of: document?.count)
        } catch {
            throw ValidationError("--shard auto: \(error.why)")
        }
    }

    private func begin(
        _ configuration: MatrixConfiguration, _ part: Shard?, _ document: PlanDocument?
    ) throws -> MatrixSession {
        if resume {
            guard let part, let seed = configuration.seed else {
                return try MatrixSession.resume(in: configuration.output)
            }
            if let session = try MatrixSession.resume(configuration, shard: part, seed: seed) { return session }
        }
        var availability = Availability.current
        for case let kernel? in configuration.kernels.map(\.specification) {
            do {
                try VMOptions.prepare(kernel: kernel)
            } catch let error as VirtualMachineError {
                availability.kernels[kernel] = error.sentence
            }
        }
        let session = try MatrixSession.begin(
            configuration, shard: part, planned: document, availability: availability,
            tool: Fstestkit.configuration.version,
            commandLine: CommandLine.arguments)
        return session
    }

    private func finish(
        _ run: RunRecord, _ session: MatrixSession, _ resolved: ResolvedConfiguration, _ signals: StopSignals
    ) throws {
        let report = try words { try RunReport(run, from: session.store) }
        let width = isatty(STDOUT_FILENO) == 1 ? Terminal.size(of: STDOUT_FILENO).width : nil
        print("\n" + TextReport(report).text(width: width), terminator: "")
        let output = resolved.configuration.output
        let files = try words { try ReportFiles(report, store: session.store, output: output).write() }
        print("report: \(files.page)\nevidence and other formats: \(files.folder)")
        if let signal = signals.received {
            notice("interrupted; to go on: fstestkit matrix --resume --output \(output)")
            throw ExitCode(128 + signal)
        }
        if report.standing == .passed && baseline { try words { try session.store.markAsBaseline(run, at: Date()) } }
        let missing = missing(report, resolved)
        for line in missing { notice("not to be had: \(line)") }
        for shard in report.missingShards { notice("not run: \(shard)") }
        try RunStatus(
            hasFailures: [.failed, .unfinished].contains(report.standing),
            isMissing: !missing.isEmpty || report.standing == .empty
        ).end()
    }

    /// What somebody asked for by name and what could not be run: a cell whose suite and target were both named, all of a suite
    /// that was named, all of a target that was named, all of a kernel.
    private func missing(_ report: RunReport, _ resolved: ResolvedConfiguration) -> [String] {
        let named = Set(resolved.settings.filter { $0.origin != "default" }.map(\.key))
        let suites = named.contains("suites") ? resolved.configuration.suites : []
        let targets = named.isDisjoint(with: ["transports", "daemons"]) ? [] : byName(resolved.configuration.targets)
        return report.leftOut.filter { cell in
            let own = cell.record.cell
            let isSuite = suites.contains(own.suite)
            let isTarget = targets.contains(own.target)
            func isAlone(_ others: (Cell) -> Bool) -> Bool {
                !report.cells.contains { others($0.record.cell) && $0.record.wasRun }
            }
            let isKernel = named.contains("kernels") && own.kernel != nil
            return isSuite && isTarget || isKernel && isAlone { $0.kernel == own.kernel }
                || isSuite && isAlone { $0.suite == own.suite }
                || isTarget && isAlone { $0.target == own.target }
        }.map { "\($0.record.cell.key): \($0.record.reason)" }
    }

    /// Who asks for all transports has named none.
    private func byName(_ targets: [MatrixConfiguration.TargetChoice]) -> [String] {
        let areAll = Set(targets.compactMap(\.transport)).count == TransportName.allCases.count
        return targets.filter { $0.transport == nil || !areAll }.map(\.label)
    }

    private func show(_ resolved: ResolvedConfiguration) {
        var table = TextTable("setting", "value", "from")
        for setting in resolved.settings { table.add([setting.key, setting.value, setting.origin]) }
        print(table.text())
    }
}

/// Says something to the person, whatever standard output is for.
func notice(_ line: String) {
    FileHandle.standardError.write(Data("fstestkit: \(line)\n".utf8))
}

/// Runs something of the matrix and turns what it throws into a sentence and an exit status.
func words<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as StoreError {
        throw fail(error.sentence, error.exitCode)
    } catch let error as CocoaError {
        let reason = (error.underlying as? POSIXError).map { "\(Errno(rawValue: $0.code.rawValue))" }
        throw fail(
            "\(error.filePath ?? "a file") cannot be written: \(reason ?? error.localizedDescription)", .software)
    } catch let error as MatrixSession.StartError {
        throw fail(error.sentence)
    }
}

extension StoreError {
    var exitCode: ExitCode { if case .notWritable = self { .software } else { .unavailable } }

    /// For people.
    var sentence: String {
        switch self {
        case .noStore(let path): "there are no results: \(path) does not exist"
        case .notWritable(let path, let why): "\(path) cannot be written: \(why)"
        case .notReadable(let path, let why): "\(path) cannot be read: \(why)"
        case .damaged(let path, let why):
            "\(path) is damaged, or holds no results (\(why)): move it away, and the next run begins a new one; "
                + "'sqlite3 \(path) .recover' may save what is in it"
        case .newerSchema(let path): "\(path) was written by a later version of fstestkit"
        case .noSuchRun(let name): "there is no run '\(name)'; fstestkit history --runs lists them"
        case .ambiguousRun(let name, let ids): "'\(name)' may be \(ids.joined(separator: " or "))"
        case .noBaseline: "no run is the baseline; fstestkit compare --set-baseline RUN makes one"
        case .cannotMerge(let why): "these cannot be one run: \(why)"
        }
    }
}

extension MatrixSession.StartError {
    /// For people.
    var sentence: String {
        switch self {
        case .busy(let id): "another bench is at work on \(id)"
        case .shardsMissing(let id, let shards):
            "\(id) was merged and lacks \(shards.joined(separator: ", ")), which no resume can run: run what is missing by "
                + "--shard K/N, with the same settings and seed, and merge again"
        case .otherPlan(let why): why
        case .nothingToResume: "there is nothing to resume: every run here is finished"
        case .unreadable(let id): "\(id) was planned by another version of fstestkit, which has to finish it"
        }
    }
}
