import Glibc
import LinuxSystem
import SystemPackage
import BenchCore

/// One round of the suite on a target: clients on the mount, an adversary behind it, and what is asserted of the two.
final class HostileSourceRun {
    private let target: Target
    private let settings: HostileSourceSettings
    private let bench: Workbench
    private let arena: Arena
    private let evidence: Evidence
    private let duration: Duration
    private var workers: [WorkerWatch] = []
    private var outcome = HostileSourceOutcome()
    private let kernelLog: KernelLog?

    /// Makes the source and all that lies around it.
    ///
    /// - Parameters:
    ///   - folder: made by this; nil is below the run's temporary folder.
    ///   - duration: how long the source is changed.
    ///   - withFIFOs: whether anybody makes some.
    /// - Throws: ``HostileSourceUnavailable``.
    init(
        _ target: Target, in folder: FilePath?, _ settings: HostileSourceSettings, for duration: Duration,
        withFIFOs: Bool, bench: Workbench
    ) throws {
        self.target = target
        self.duration = duration
        self.settings = settings
        self.bench = bench
        kernelLog = KernelLog()
        evidence = bench.evidence.below("hostile-source/\(target.label)")
        let number = bench.nextNumber()
        do {
            let path: FilePath
            if let folder {
                path = folder.appending("fstestkit-\(bench.ledger.run)-\(number)")
                bench.ledger.record(.folder(path.string))
                _ = try Errno.check { mkdir(path.string, 0o755) }
            } else {
                path = try bench.makeFolder("hostile\(number)")
            }
            // The run's name is in it: no file of any other run holds it.
            arena = Arena(
                folder: path.string, mark: "SECRET-\(bench.ledger.run)-\(number)", hasFIFOs: withFIFOs)
            try arena.prepare()
        } catch {
            throw HostileSourceUnavailable(description: "the source cannot be made: \(error)")
        }
    }

    /// Runs it, takes everything down, and says what came of it.
    ///
    /// - Parameter tick: called several times a second.
    /// - Throws: ``HostileSourceUnavailable`` if the daemon does not start.
    func run(tick: () -> Void) throws -> HostileSourceOutcome {
        let daemon: MountedDaemon
        do {
            var target = target
            if target.isOurs { target.options += ["-o", "allow_other,default_permissions"] }
            daemon = try MountedDaemon.start(
                target, source: FilePath(arena.source), mountPoint: FilePath(arena.mountPoint), bench: bench)
        } catch {
            throw HostileSourceUnavailable(description: "\(target.label): \(error)")
        }
        if let mount = daemon.mount, !mount.superOptions.contains("allow_other") {
            daemon.forceDown()
            throw HostileSourceUnavailable(
                description: "\(target.label): the mount lets no other users in (allow_other)")
        }
        let outside = OutsideSnapshot(arena.outside)
        do {
            try startWorkers(on: daemon)
        } catch {
            daemon.forceDown(clients: workers.map(\.process))
            throw HostileSourceUnavailable(description: "the clients cannot be started: \(error)")
        }
        watch(daemon, tick)
        stopWorkers(daemon, tick)
        end(daemon)
        for worker in workers { outcome.violations += Journal.read(text(of: worker.output)) }
        for line in OutsideSnapshot(arena.outside).differences(from: outside).prefix(20) {
            fail(.outsideUntouched, line)
        }
        askKernelLog()
        outcome.done = workers.map(\.activity.done)
        return outcome
    }

    private func startWorkers(on daemon: MountedDaemon) throws(Errno) {
        var random = SplitMix64(seed: settings.seed)
        let roles =
            [("adversary", HostileSourceWorker.Role.adversary)]
            + Actor.all.indices.map { (Actor.all[$0].name, .client($0)) }
        for (name, role) in roles {
            let path = "\(arena.folder)/\(name)"
            let activity = try Activity(path + ".activity")
            let order = HostileSourceWorker(
                role: role, arena: arena, root: daemon.root.string, seed: random.next(), activity: path + ".activity")
            let process = try bench.spawn(
                [bench.program, "hostile-source-worker", order.argument], output: FilePath(path + ".journal"),
                errors: FilePath(path + ".errors"))
            let operations =
                if case .adversary = role {
                    Adversary.Change.allCases.map { "\($0)" }
                } else {
                    Client.Operation.allCases.map { "\($0)" }
                }
            workers.append(
                WorkerWatch(name, process, activity, output: path + ".journal", operations: operations))
        }
    }

    /// Waits until the time is over, or something has gone wrong for good.
    private func watch(_ daemon: MountedDaemon, _ tick: () -> Void) {
        let start = ContinuousClock.now
        // What takes two to meet at the same moment needs them to meet often.
        let storm = Deadline(after: duration * 3 / 4)
        let deadline = Deadline(after: duration)
        var clock = WorkerWatch.Clock()
        while !deadline.hasPassed {
            Deadline.sleep(.milliseconds(50))
            tick()
            if isBroken(daemon, clock.tick()) {
                outcome.isBroken = true
                break
            }
            if storm.hasPassed { for worker in workers { worker.activity.beginStorm() } }
        }
        // While somebody hung nothing was tested.
        outcome.worked = ContinuousClock.now - start - (workers.map(\.stuck).max() ?? .zero)
    }

    /// Looks at everybody; true if it makes no sense to go on.
    private func isBroken(_ daemon: MountedDaemon, _ time: Duration) -> Bool {
        // After a signal: what dies now is being cleaned up, and this process ends with it.
        while bench.isBeingClosed { Deadline.sleep(.seconds(1)) }
        if daemon.process?.isRunning == false {
            let how = daemon.process?.exitStatus.map { "\($0)" } ?? "gone"
            fail(.daemonLives, "the daemon ended: \(how)\(daemon.logTail.isEmpty ? "" : ": " + daemon.logTail)")
            outcome.unasked[.nothingHangs] = "the daemon died"
            outcome.unasked[.daemonEnds] = "the daemon died"
            return true
        }
        let limit = settings.deadline * slowness
        for worker in workers {
            worker.pass(time)
            if worker.process.isRunning {
                guard worker.stuck > limit else { continue }
                fail(
                    .nothingHangs,
                    "\(worker.name)'s \(worker.current) has not come back for \(Int(worker.stuck.seconds)) s")
                return true
            }
            if worker.activity.isStopped && worker.process.exitStatus == .exited(0) { continue }
            // Not the daemon's doing, as far as is known: no result may be called passed.
            let words = text(of: worker.output.replacing(".journal", with: ".errors")).prefix(300)
            let how = "\(worker.name) ended: \(worker.process.exitStatus.map { "\($0)" } ?? "gone") \(words)"
            for oracle in HostileSourceOracle.allCases where outcome.unasked[oracle] == nil {
                outcome.unasked[oracle] = how
            }
            return true
        }
        return false
    }

    /// Lets everybody end what they are at; the adversary looks once more at all that is private.
    private func stopWorkers(_ daemon: MountedDaemon, _ tick: () -> Void) {
        for worker in workers.reversed() { worker.activity.stop() }
        var clock = WorkerWatch.Clock()
        while !hangs, workers.contains(where: \.process.isRunning) {
            Deadline.sleep(.milliseconds(10))
            tick()
            if isBroken(daemon, clock.tick()) { break }
        }
    }

    /// How many times longer than on a fast and idle machine anything may take now.
    private var slowness: Double { max(bench.pace.factor, WorkerWatch.load) }

    private var hangs: Bool { outcome.hangs }

    /// SIGTERM, as a service manager would; after a hang by force.
    private func end(_ daemon: MountedDaemon) {
        let processes = workers.map(\.process)
        if hangs || processes.contains(where: \.isRunning) {
            outcome.files += daemon.collect(into: evidence, clients: processes)
            outcome.unasked[.daemonEnds] = "an operation hung: the connection was aborted"
            daemon.forceDown(clients: processes)
            return
        }
        guard daemon.mount != nil else {
            for oracle in [HostileSourceOracle.daemonLives, .daemonEnds] {
                outcome.unasked[oracle] = "there is no daemon"
            }
            return
        }
        guard outcome.unasked[.daemonEnds] == nil else {
            daemon.forceDown()
            return
        }
        let report = daemon.stop(.terminate, within: settings.stopDeadline * slowness)
        if !report.isComplete {
            fail(.daemonEnds, "it does not end after SIGTERM: \(daemon.logTail)")
            daemon.forceDown(evidence: evidence)
        } else if case .exited(let code) = report.exit, !target.cleanExitStatuses.contains(code) {
            fail(.daemonEnds, "after SIGTERM it ended with exit status \(code): \(daemon.logTail)")
        } else if case .signalled = report.exit, let exit = report.exit {
            // A daemon without a handler dies by the signal, as it should.
            if target.isOurs || exit != .signalled(SIGTERM, coreDumped: false) {
                fail(.daemonEnds, "after SIGTERM it ended by \(exit): \(daemon.logTail)")
            }
        }
    }

    private func askKernelLog() {
        guard let kernelLog else {
            outcome.unasked[.kernelLog] = "the kernel log cannot be read"
            return
        }
        let alarms = kernelLog.alarms(of: bench.ledger, mine: Set(workers.map(\.process.id.pid)))
        // That somebody hangs is told already.
        for record in alarms.own where !(hangs && record.isHungTask) { fail(.kernelLog, record.message) }
        if let first = alarms.untold.first {
            outcome.unasked[.kernelLog] = "another run was at work on this machine: \(first.message)"
        }
        if hangs || outcome.violations.contains(where: { $0.oracle == .kernelLog }) {
            outcome.files.append(evidence.save("kernel.log", kernelLog.text))
        }
    }

    private func fail(_ oracle: HostileSourceOracle, _ what: String) {
        outcome.violations.append(Violation(oracle: oracle, what: what))
    }

    private func text(of path: String) -> String { (try? readWhole(FilePath(path))) ?? "" }
}
