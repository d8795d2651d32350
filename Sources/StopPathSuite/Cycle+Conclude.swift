import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

extension Cycle {
    /// Ends the cycle: waits for what the act must have ended, asks the oracles, and takes down what is left.
    ///
    /// - Returns: false if something is left that could not be taken down.
    func conclude(_ oracles: Set<Oracle>) -> Bool {
        if !expect.connectionEnds {
            stopLoad()
            endOfLoad()
            if death == nil, let daemon, daemon.isMounted { endInOrder(daemon) }
        }
        reap()
        checkExit()
        checkMountGone()
        let clean = takeDown()
        checkErrors()
        checkStored()
        checkTransportAfterwards()
        checkSanitizers()
        checkKernelLog()
        if clean && oracles.contains(.newMount) && reports.allSatisfy({ !$0.isFailure }) { checkNewMount() }
        // What a scenario is meant to ask and did not get to is told, and does not count as passed.
        for oracle in oracles.subtracting(reports.map(\.oracle)) { report(oracle, .unavailable("not asked")) }
        return clean
    }

    /// The load is over and the connection works: a plain unmount must do.
    private func endInOrder(_ daemon: MountedDaemon) {
        guard let error = unmountIdle(daemon) else { return }
        hung = hung || error == .timedOut
        fail(.mountGone, "the unmount after the load failed: \(error.name)")
    }

    private func checkExit() {
        guard let daemon, let process = daemon.process, death == nil else { return }
        let start = ContinuousClock.now
        guard let status = end(of: process) else {
            hung = true
            let passed = Int((ContinuousClock.now - start).seconds)
            return fail(.exit, "the daemon (pid \(process.id)) did not end within \(passed) s, and does not work")
        }
        let good: Bool
        switch (expect.exit, status) {
        case (.any, _), (_, .unknown): good = true
        case (.clean, .exited(let code)):
            good = code == 0 || target.cleanExitStatuses.contains(code) || Cycle.lostToTheEnd(daemon.logTail)
        case (.anyStatus, .exited): good = true
        case (.failure, .exited(let code)): good = code != 0
        case (.killed, .signalled(let signal, _)): good = signal == SIGKILL
        default: good = false
        }
        if good {
            report(.exit, .passed)
        } else {
            let remedy = cleanStatusRemedy(status)
            fail(
                .exit,
                "the daemon ended with \(status), expected was \(expect.exit)\(remedy)\(lastWords(daemon.logTail))")
        }
    }

    /// What a daemon said last, after a sentence: it differs from one time to the next, and is no part of what was found.
    func lastWords(_ log: String) -> String { log.isEmpty ? "" : "; it said last: \(log)" }

    /// A daemon of others may end well with a status of its own.
    private func cleanStatusRemedy(_ status: ExitStatus) -> String {
        guard case .exited(let code) = status, case .clean = expect.exit, !target.isOurs else { return "" }
        return " (if all is well then, --clean-status \(code) says so)"
    }

    /// A read of `/dev/fuse` that takes a request just as the kernel ends the connection gets ECONNABORTED (`fuse_dev_do_read`
    /// finds the queue shut down), though nobody aborted anything. libfuse takes that for a failure and says so last.
    static func lostToTheEnd(_ log: String) -> Bool {
        log.hasSuffix("reading device: " + String(cString: strerror(ECONNABORTED)))
    }

    /// A daemon that died leaves a dead mount, which a plain unmount must take away.
    private func checkMountGone() {
        guard let daemon, let connection = daemon.connection, reports.allSatisfy({ $0.oracle != .mountGone }) else {
            return
        }
        if expect.unmountsItself && daemon.isMounted && daemon.process?.isRunning == false {
            // Gives a daemon that has only just ended the moment that a lazy unmount takes.
            if !Deadline(after: bench.pace(.seconds(1))).wait(for: { !daemon.isMounted }) {
                return fail(.mountGone, "the daemon ended in order and left its mount behind")
            }
        }
        if daemon.isMounted {
            if daemon.process?.isRunning != true || expect.connectionEnds {
                let error = daemon.unmount(within: limit)
                if let error, daemon.isMounted {
                    return fail(.mountGone, "the dead mount does not unmount: \(error.name)")
                }
            }
        }
        daemon.detachCopies()
        let gone = Deadline(after: limit).wait { !daemon.isMounted && !daemon.isConnected }
        if gone {
            report(.mountGone, .passed)
        } else {
            hung = true
            fail(
                .mountGone,
                daemon.isMounted
                    ? "\(daemon.mountPoint) is still mounted"
                    : "\(connection) is still there, held by \(connection.holders.map { "\($0.pid)" })")
        }
    }

    /// Takes everything down, whatever state it is in.
    private func takeDown() -> Bool {
        var clean = true
        for helper in helpers {
            if helper.isRunning { expectDeath(of: helper) }
            helper.kill()
        }
        for client in clients where client.process.isRunning { client.process.signalGroup(SIGKILL) }
        for daemon in [daemon].compactMap({ $0 }) + others
        where daemon.isMounted || daemon.process?.isRunning == true || hung {
            clean = daemon.forceDown(clients: clients.map(\.process) + helpers) && clean
        }
        for client in clients where client.process.isRunning {
            if !client.process.kill() {
                clean = false
                fail(.reaped, "\(client.description) does not die")
            }
        }
        if reports.allSatisfy({ $0.oracle != .reaped }) { report(.reaped, .passed) }
        return clean
    }

    /// What is left of the cycle, and what holds it.
    var leftover: String {
        var parts: [String] = []
        for daemon in [daemon].compactMap(\.self) + others {
            if daemon.isMounted { parts.append("\(daemon.mountPoint) is mounted") }
            if daemon.isConnected, let connection = daemon.connection {
                parts.append("\(connection) has \(connection.waiting ?? 0) requests waiting")
            }
            if let process = daemon.process, process.isRunning { parts.append(ProcessSnapshot(process.id).whereItIs) }
        }
        for client in clients where client.process.isRunning {
            parts.append("client \(client.index): " + ProcessSnapshot(client.process.id).whereItIs)
        }
        return parts.isEmpty ? "it is gone by now" : parts.joined(separator: "; ")
    }

    private func checkErrors() {
        var bad: [String] = []
        for client in clients where !expect.killedClients.contains(client.index) {
            if let status = client.process.exitStatus, !status.isSuccess, !hung {
                bad.append("\(client.description) ended with \(status)")
            }
            guard let status = client.status else { continue }
            for (errno, count) in status.errors where !isAllowed(errno) {
                let operation = LoadOperation.name(status.firstError?.operation ?? 0)
                bad.append("\(client.description) got \(errno.name) (\(count)×, first in \(operation))")
            }
            if status.faulted && !isAllowed(.ioError) { bad.append("\(client.description) got SIGBUS") }
            if !expect.connectionEnds, let errno = status.firstError?.errno,
                isAllowed(errno) == false || errno != .interrupted
            {
                bad.append("\(client.description) got \(errno.name) although the connection goes on")
            }
        }
        if reports.contains(where: { $0.oracle == .errors && $0.isFailure }) { return }
        bad.isEmpty ? report(.errors, .passed) : fail(.errors, bad.joined(separator: "; "))
    }

    private func checkStored() {
        var bad: [String] = []
        clients.forEach(noteWhatTheSourceShows)
        for client in clients {
            if let status = client.status, status.mismatches > 0 {
                let operation = LoadOperation.name(status.mismatchOperation)
                bad.append("\(client.description) found wrong data \(status.mismatches)×, first in \(operation)")
            }
            guard target.hasSource, sourceShowsFiles else { continue }
            bad += LoadFiles.verify(ledger: client.ledger, source: source, client: client.id).wrong
        }
        if bad.isEmpty, !target.hasSource {
            return report(.stored, .unavailable("the daemon's files are not to be seen without it (no {source})"))
        }
        if bad.isEmpty, !sourceShowsFiles, !clients.isEmpty {
            return report(.stored, .unavailable("the daemon's files are not to be seen in its source"))
        }
        if bad.isEmpty, let powerCutObstacle {
            return report(.stored, .unavailable("power cut: \(powerCutObstacle)"))
        }
        if bad.isEmpty, let image {
            if let problem = image.cutPower(bench: bench) {
                return report(.stored, .unavailable("power cut on \(image.kind.rawValue): \(problem)"))
            }
            for client in clients {
                bad += LoadFiles.verify(ledger: client.ledger, source: source, client: client.id).wrong.map {
                    "after a power cut on \(image.kind.rawValue): \($0)"
                }
            }
        }
        bad.isEmpty ? report(.stored, .passed) : fail(.stored, bad.prefix(5).joined(separator: "; "))
    }

    private func checkTransportAfterwards() {
        guard daemon != nil else { return }
        guard let counters else { return report(.transport, .unavailable(countersObstacle)) }
        // Requests that a stopped ring refused are not traced: waiting for their end would be in vain.
        let untold = mayUseRing && expect.connectionEnds
        let settled = Deadline(after: untold ? .zero : bench.pace(.seconds(1))).wait {
            counters.endedCount + counters.withdrawn >= counters.sentCount
        }
        let sent = counters.sentCount
        if settled {
            report(.transport, .passed)
        } else if counters.sawAnotherMount || daemon?.connection?.exists == true || counters.sentCount != sent {
            report(.transport, .unavailable("another mount took the connection's number while requests were counted"))
        } else if untold {
            report(
                .transport,
                .unavailable(
                    "Linux does not trace the end of background requests that a stopped ring refuses, so those are not told"
                        + " from lost ones once the connection has ended"))
        } else {
            fail(
                .transport,
                "the kernel sent \(counters.sentCount) requests and ended \(counters.endedCount), and killed clients"
                    + " took at most \(counters.withdrawn) back: some were never ended"
            )
        }
    }

    private func checkKernelLog() {
        guard let kernelLog else { return report(.kernelLog, .unavailable("/dev/kmsg cannot be read")) }
        let mine = Set(([daemon?.process] + clients.map(\.process) + helpers).compactMap { $0?.id.pid })
        let alarms = kernelLog.alarms(of: bench.ledger, mine: mine)
        let taint = kernelLog.addedTaint
        // The taint of a report that is somebody else's is theirs, too.
        let own = alarms.own.filter { !(hung && $0.isHungTask) }
        if !own.isEmpty || taint != 0 && alarms.untold.isEmpty && alarms.others.isEmpty {
            saveEvidence("kernel.log", kernelLog.text)
            let words = taint == 0 ? [] : ["taint 0x\(String(taint, radix: 16)) added"]
            fail(.kernelLog, (own.prefix(3).map(\.message) + words).joined(separator: "; "))
        } else if let first = alarms.untold.first {
            saveEvidence("kernel.log", kernelLog.text)
            report(.kernelLog, .unavailable("another run was at work on this machine: \(first.message)"))
        } else {
            report(.kernelLog, .passed)
        }
    }

    private func checkSanitizers() {
        guard let daemon else { return }
        guard let sanitizer = Sanitizer.of(program: daemon.command.first ?? "") else {
            return report(.sanitizers, .unavailable("the daemon is no sanitizer build"))
        }
        if let line = sanitizer.finding(in: contents(of: daemon.log.string) ?? "") {
            fail(.sanitizers, line)
        } else {
            report(.sanitizers, .passed)
        }
    }

    /// Mount, work, unmount once more at the same place.
    private func checkNewMount() {
        do {
            let first = clients.count
            let again = try mount()
            try startLoad(.mixed, perCPU: 1)
            stopLoad()
            for client in clients[first...] {
                if let error = client.status?.firstError {
                    fail(.newMount, "\(client.description) got \(error.errno.name)")
                }
                if client.status?.mismatches ?? 0 > 0 { fail(.newMount, "\(client.description) read wrong data") }
            }
            let stop = again.stop(within: limit)
            if stop.isComplete && stop.unmountError == nil {
                report(.newMount, .passed)
            } else {
                hung = true
                fail(.newMount, "the new mount does not go: \(stop)")
                again.forceDown(clients: clients.map(\.process))
            }
        } catch {
            fail(.newMount, "\(error)")
        }
    }
}
