import BenchCore
import FoundationEssentials
import Glibc
import LinuxSystem
import SystemPackage

/// Runs one job on one subject, on a mount of its own.
struct TrialRunner {
    let settings: SpeedSettings
    let bench: Workbench
    /// Asked while clients are at work.
    var isStopped: () -> Bool = { false }

    /// The run is to end.
    private struct Interrupted: Error {}

    private struct Failure: Error {
        let words: String

        init(_ words: String) { self.words = words }
    }

    /// Fills the trial in; whatever happens, nothing stays mounted.
    ///
    /// - Parameter isCounting: counts requests, which slows them.
    /// - Returns: nil if the run is to end meanwhile.
    func run(
        _ trial: SpeedRecord.Trial, _ job: SpeedJob, on target: Target, over source: SpeedSource, isCounting: Bool
    ) -> SpeedRecord.Trial? {
        var trial = trial
        let start = ContinuousClock.now
        do {
            try source.prepare(job, isStopped: isStopped)
            defer { source.cleanUp(after: job) }
            source.settle()
            try measure(&trial, job, target, source, isCounting)
        } catch is Interrupted {
            return nil
        } catch SpeedSource.Trouble.interrupted {
            return nil
        } catch let failure as Failure {
            trial.failure = TestResult.line(failure.words)
        } catch SpeedSource.Trouble.failed(let words) {
            trial.failure = TestResult.line(words)
        } catch {
            trial.failure = TestResult.line("\(error)")
        }
        trial.seconds = (ContinuousClock.now - start).seconds
        return trial
    }

    private func measure(
        _ trial: inout SpeedRecord.Trial, _ job: SpeedJob, _ target: Target, _ source: SpeedSource, _ isCounting: Bool
    ) throws {
        var target = target
        if target.isOurs, !job.mountOptions.isEmpty {
            target.options += ["-o", job.mountOptions.joined(separator: ",")]
        }
        let mountPoint = try bench.makeFolder("mnt-\(bench.nextNumber())")
        let daemon = try MountedDaemon.start(target, source: source.path, mountPoint: mountPoint, bench: bench)
        defer {
            rmdir(mountPoint.string)
            Evidence.remove(daemon.log)
        }
        do {
            try clients(&trial, job, daemon, source, isCounting)
        } catch {
            daemon.forceDown()
            throw error
        }
        let report = daemon.stop(.unmount)
        if !report.isComplete {
            daemon.forceDown()
            throw Failure("it did not stop: \(report)")
        }
    }

    private func clients(
        _ trial: inout SpeedRecord.Trial, _ job: SpeedJob, _ daemon: MountedDaemon, _ source: SpeedSource,
        _ isCounting: Bool
    ) throws {
        let folder = daemon.root.appending(source.folder(of: job)).string
        let output = bench.folder.appending("client-\(bench.nextNumber())")
        defer { Evidence.remove(output) }
        let command = try command(job, folder, daemon, source, trial.round)
        let requests = isCounting ? RequestMeter(daemon, bench) : nil
        let before = daemon.process.flatMap { ProcessTimes($0.id) }
        let machine = MachineMeter()
        let began = ContinuousClock.now
        let child = try bench.spawn(command, output: output)
        let status: ExitStatus
        switch child.wait(bench.pace(.seconds(60 + 2 * settings.seconds)), unless: isStopped) {
        case .ended(let end): status = end
        case .late:
            daemon.collect(into: bench.evidence.below("\(daemon.target.label) \(job.name)"), clients: [child])
            child.kill(within: .seconds(1))
            throw Failure("its clients did not end")
        case .stopped:
            child.kill(within: .seconds(1))
            throw Interrupted()
        }
        let elapsed = (ContinuousClock.now - began).seconds
        let end = MachineMeter()
        let after = daemon.process.flatMap { ProcessTimes($0.id) }
        if daemon.process != nil && after == nil { throw Failure("the daemon ended: \(daemon.logTail)") }
        try take(child.output, status, elapsed, job, &trial)
        var costs = trial.costs ?? SpeedRecord.Costs()
        if let before, let after {
            before.add(until: after, to: &costs)
        }
        // fio tells of its own, without its start.
        if costs.client == 0 { costs.client = machine.clientTime(until: end) }
        costs.kernelThreads = machine.kernelThreadTime(until: end)
        trial.costs = costs
        trial.disturbance = machine.disturbance(until: end, daemon: costs.daemonUser + costs.daemonSystem)
        // They are the whole machine's.
        let isQuiet = trial.disturbance <= SpeedRecord.tolerance
        trial.counts = requests?.counts(interrupts: isQuiet ? machine.interrupts(until: end) : nil)
    }

    private func command(
        _ job: SpeedJob, _ folder: String, _ daemon: MountedDaemon, _ source: SpeedSource, _ round: Int
    ) throws -> [String] {
        let fio = FioCommand(settings: settings)
        switch job.work {
        // The same places of the files for all subjects of a round.
        case .data(let work): return fio.data(work, job, folder: folder, seed: settings.seed &+ UInt64(round))
        case .files(.stat) where daemon.root == daemon.mountPoint:
            // fio leaves what the command says where it is.
            return ["env", "-C", bench.folder.string]
                + fio.files(
                    .stat, job, folder: folder, first: CacheLoss.command(daemon.mountPoint, program: bench.program))
        case .files(let work): return fio.files(work, job, folder: folder)
        case .file(let path): return fio.file(try copy(of: path, folder))
        case .tool(.untar): return ["tar", "-C", folder, "-xf", source.archive]
        case .tool(.gitStatus): return ["git", "-C", folder, "-c", "safe.directory=*", "status", "--porcelain"]
        case .tool(.compile): return ["sh", "-c", "cd '\(folder)' && cc -c *.c"]
        case .tool(let work): return ToolWorker.command(work, folder: folder, program: bench.program)
        }
    }

    /// Somebody's file, with the folder of this mount as its first word.
    private func copy(of path: FilePath, _ folder: String) throws -> String {
        guard let text = contents(of: path.string) else { throw Failure("\(path) cannot be read") }
        let copy = bench.folder.appending("job.fio")
        try FioCommand(settings: settings).write(text, to: copy, in: folder, isLayout: false)
        return copy.string
    }

    private func take(
        _ output: String, _ status: ExitStatus, _ elapsed: Double, _ job: SpeedJob, _ trial: inout SpeedRecord.Trial
    ) throws {
        switch job.work {
        case .data, .files, .file:
            let result: FioOutput
            do throws(FioOutput.Failure) {
                result = try FioOutput(output)
            } catch .said(let words) {
                throw Failure("fio: \(words ?? "\(status)")")
            } catch .job(let number) {
                throw Failure("fio: \(Errno(rawValue: CInt(number)).name)")
            }
            guard result.operations > 0, result.operationsPerSecond > 0 else {
                throw Failure("fio did nothing: \(status)")
            }
            trial.value = job.unit == "MB/s" ? result.bytesPerSecond / 1e6 : result.operationsPerSecond
            trial.operations = result.operations * warmUpFactor(job)
            trial.latency = result.latency
            trial.costs = SpeedRecord.Costs()
            trial.costs?.client = result.clientTime * warmUpFactor(job)
        case .tool(let work) where work.program != nil:
            guard status.isSuccess else { throw Failure("\(work.program ?? ""): \(status)") }
            trial.operations = Double(work.files)
            trial.value = trial.operations / elapsed
        case .tool:
            guard let report = try? JSONDecoder().decode(ToolWorker.Report.self, from: Data(output.utf8)) else {
                throw Failure("its client says nothing: \(status)")
            }
            if report.failures > 0 { throw Failure("\(report.failures) operations failed") }
            trial.operations = Double(report.operations)
            trial.value = trial.operations / report.seconds
        }
    }

    /// fio does not tell of the operations of its warm-up; what is counted outside of it has them too.
    private func warmUpFactor(_ job: SpeedJob) -> Double {
        guard case .data(let work) = job.work, !work.isOnePass else { return 1 }
        return (settings.seconds + settings.warmUp) / settings.seconds
    }
}
