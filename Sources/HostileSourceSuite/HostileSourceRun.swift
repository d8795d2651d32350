import Glibc
import LinuxSystem
import SystemPackage
import BenchCore

/// The suite on one target: clients on the mount, an adversary behind it, and what is asserted of the two.
final class HostileSourceRun {
    private let target: Target
    private let settings: HostileSourceSettings
    private let bench: Workbench
    private let arena: Arena
    private let evidence: Evidence
    private let start = ContinuousClock.now
    private var workers: [WorkerWatch] = []
    private var violations: [Violation] = []
    /// Oracles that cannot be asked any more, and why.
    private var unasked: [HostileSourceOracle: String] = [:]
    private var files: [String] = []
    private let kernelLog: KernelLog?

    /// Makes the source and all that lies around it.
    ///
    /// - Parameter folder: made by this; nil is below the run's temporary folder.
    /// - Throws: ``HostileSourceUnavailable``.
    init(_ target: Target, in folder: FilePath?, _ settings: HostileSourceSettings, bench: Workbench) throws {
        self.target = target
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
            arena = Arena(folder: path.string, mark: "SECRET-\(bench.ledger.run)-\(number)")
            try arena.prepare()
        } catch {
            throw HostileSourceUnavailable(description: "the source cannot be made: \(error)")
        }
    }

    /// Runs it, takes everything down, and says what came of it.
    ///
    /// - Parameter tick: called several times a second.
    /// - Throws: ``HostileSourceUnavailable`` if the daemon does not start.
    func run(tick: () -> Void) throws -> [TestResult] {
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
        for worker in workers { violations += Journal.read(text(of: worker.output)) }
        for line in OutsideSnapshot(arena.outside).differences(from: outside).prefix(20) {
            violations.append(Violation(oracle: .outsideUntouched, what: line))
        }
        askKernelLog()
        return results()
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
        let deadline = Deadline(after: settings.duration)
        var clock = WorkerWatch.Clock()
        while !deadline.hasPassed {
            Deadline.sleep(.milliseconds(50))
            tick()
            if isBroken(daemon, clock.tick()) { return }
        }
    }

    /// Looks at everybody; true if it makes no sense to go on.
    private func isBroken(_ daemon: MountedDaemon, _ time: Duration) -> Bool {
        // After a signal: what dies now is being cleaned up, and this process ends with it.
        while bench.isBeingClosed { Deadline.sleep(.seconds(1)) }
        if daemon.process?.isRunning == false {
            let how = daemon.process?.exitStatus.map { "\($0)" } ?? "gone"
            fail(.daemonLives, "the daemon ended: \(how)\(daemon.logTail.isEmpty ? "" : ": " + daemon.logTail)")
            unasked[.nothingHangs] = "the daemon died"
            unasked[.daemonEnds] = "the daemon died"
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
            for oracle in HostileSourceOracle.allCases where unasked[oracle] == nil { unasked[oracle] = how }
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

    private var hangs: Bool { violations.contains { $0.oracle == .nothingHangs } }

    /// SIGTERM, as a service manager would; after a hang by force.
    private func end(_ daemon: MountedDaemon) {
        let processes = workers.map(\.process)
        if hangs || processes.contains(where: \.isRunning) {
            files += daemon.collect(into: evidence, clients: processes)
            unasked[.daemonEnds] = "an operation hung: the connection was aborted"
            daemon.forceDown(clients: processes)
            return
        }
        guard daemon.mount != nil else {
            for oracle in [HostileSourceOracle.daemonLives, .daemonEnds] { unasked[oracle] = "there is no daemon" }
            return
        }
        guard unasked[.daemonEnds] == nil else {
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
            unasked[.kernelLog] = "the kernel log cannot be read"
            return
        }
        for record in kernelLog.alarms(besides: Set(workers.map(\.process.id.pid))) {
            fail(.kernelLog, record.message)
        }
        if hangs || violations.contains(where: { $0.oracle == .kernelLog }) {
            files.append(evidence.save("kernel.log", kernelLog.text))
        }
    }

    private func fail(_ oracle: HostileSourceOracle, _ what: String) {
        violations.append(Violation(oracle: oracle, what: what))
    }

    private func text(of path: String) -> String { (try? readWhole(FilePath(path))) ?? "" }

    private func results() -> [TestResult] {
        let seconds = (ContinuousClock.now - start).seconds
        let operations = workers.dropFirst().map(\.activity.done).reduce(0, +)
        let changes = workers.first?.activity.done ?? 0
        if !violations.isEmpty {
            let lines = violations.map { "\($0.oracle.rawValue): \($0.what)\n" }.joined()
            files.append(evidence.save("violations", lines))
        }
        let isIdle = changes < 50 || workers.dropFirst().contains { $0.activity.done < 50 }
        return HostileSourceOracle.allCases.map { oracle in
            var result = TestResult(
                suite: "hostile-source", target: target.label, area: oracle.area, name: oracle.rawValue,
                verdict: .passed, seconds: seconds / Double(HostileSourceOracle.allCases.count),
                message: "\(operations) operations against \(changes) changes of the source")
            let seen = violations.filter { $0.oracle == oracle }
            if let first = seen.first {
                result.verdict = oracle == .nothingHangs ? .hung : oracle == .daemonLives ? .crashed : .failed
                result.message = first.what + (seen.count > 1 ? " (and \(seen.count - 1) more)" : "")
                result.evidence = files
            } else if let reason = unasked[oracle] ?? (isIdle ? "too little has happened: \(result.message)" : nil) {
                result.verdict = .skipped
                result.message = reason
            }
            return result
        }
    }
}
