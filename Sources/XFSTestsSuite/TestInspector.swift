import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// After each test: what `check` said of it, and what it does not look at: daemons, kernel log, leftovers. Blamed on this test,
/// since the next one has not begun.
struct TestInspector {
    let runner: CheckRunner
    let batch: CheckRunner.Batch
    let check: Int32

    func record(_ test: RunningTest, _ verdict: CheckVerdict) -> XFSTestsRecord {
        let seconds = (ContinuousClock.now - test.began).seconds
        var evidence = test.evidence
        let folder = runner.bench.evidence.below(batch.logName).below(RunningTest.folder(test.name))
        let accusations = look(test, folder, &evidence)
        var outcome = verdict.outcome
        var reasons = [verdict.reason]
        if let hang = test.hang {
            outcome = .hung
            reasons = [hang, verdict.reason]
        } else if let crash = test.crash ?? accusations.crash {
            outcome = .crashed
            reasons = [crash, verdict.reason]
        } else if !accusations.others.isEmpty && outcome != .excluded {
            if outcome == .pass || outcome == .notrun { outcome = .fail }
            reasons += accusations.others
        }
        if outcome.isFailure { evidence += saveFiles(of: test.name, folder) }
        let reason = reasons.filter { !$0.isEmpty }.joined(separator: "; ")
        return XFSTestsRecord(
            key: batch.key(test.name), outcome: outcome, seconds: (seconds * 100).rounded() / 100, reason: reason,
            evidence: evidence)
    }

    private struct Findings {
        var crash: String?
        var others: [String] = []
    }

    private func look(_ test: RunningTest, _ folder: Evidence, _ evidence: inout [String]) -> Findings {
        var result = Findings()
        removeLeftovers(&result)
        for straggler in runner.watch.settle(.seconds(10)) {
            evidence.append(
                folder.save("daemon-\(straggler.process.pid)", ProcessSnapshot(straggler.process).text))
            if test.hang == nil {
                result.others.append("\(straggler.name) still runs 10 s after \(straggler.mountPoint) was unmounted")
            }
            runner.watch.kill(straggler)
        }
        var isDead = test.hang != nil
        for death in runner.watch.takeDeaths() where death.isDaemon {
            switch death.status {
            case .signalled:
                result.crash = "\(death.name) ended: \(death.status)"
                isDead = true
            // Other programs have habits of their own: libfuse's examples exit 1 after SIGTERM.
            case .exited(let code) where code != 0 && runner.plan.server == .own && test.hang == nil:
                result.others.append("\(death.name) ended: \(death.status)")
                isDead = true
            case .exited, .unknown: break
            }
        }
        if let alarm = test.kernelLog?.alarms(of: runner.bench.ledger).own.first(where: isOurs) {
            result.others.append("kernel: \(alarm.message)")
            evidence.append(folder.save("kernel.log", test.kernelLog?.text ?? ""))
        }
        if let taint = test.kernelLog?.addedTaint, taint != 0 { result.others.append("kernel tainted: \(taint)") }
        for mount in runner.watch.mounts where !isExpected(mount) {
            result.others.append("left mounted: \(mount.mountPoint)")
            IsolatedCall.unmount(mount.path, lazy: true).run()
        }
        // xfstests takes a dead mount for a mounted one, and every test after it would fail.
        if isDead {
            runner.watch.unmountDead()
            for straggler in runner.watch.settle(.seconds(5)) { runner.watch.kill(straggler) }
        }
        return result
    }

    /// The kernel tells of hung tasks minutes later, and of everyone's: `INFO: task NAME:PID blocked for more than …`. Only this
    /// run's own count; anything else has no name in it and does.
    private func isOurs(_ alarm: KernelLog.Record) -> Bool {
        guard let range = alarm.message.firstRange(of: "INFO: task ") else { return true }
        let task = alarm.message[range.upperBound...].prefix { $0 != " " }
        guard let pid = task.split(separator: ":").last.flatMap({ Int32($0) }) else { return true }
        return runner.bench.isMarked(pid)
    }

    private func isExpected(_ mount: MountEntry) -> Bool {
        mount.mountPoint == runner.configuration.testMount.string
            || mount.mountPoint == runner.configuration.scratchMount.string
    }

    /// Processes that a test left behind keep the filesystem busy: they go, and the test is named.
    private func removeLeftovers(_ result: inout Findings) {
        let processes = TestProcesses(bench: runner.bench, check: check, watch: runner.watch)
        // One that is about to end gets a moment.
        var left: [ProcessID] = []
        _ = Deadline(after: .seconds(2)).wait(upTo: .milliseconds(50)) {
            runner.watch.look()
            left = processes.leftovers()
            return left.isEmpty
        }
        for process in left {
            let name = ProcessID.stat(process.pid)?.name ?? "?"
            result.others.append("left running: \(name)")
            process.signal(SIGKILL)
        }
    }

    /// Copies what `check` wrote about a failure: the next run of the test would overwrite it.
    private func saveFiles(of name: String, _ folder: Evidence) -> [String] {
        let base = runner.configuration.results.appending(batch.section).string + "/" + name
        let endings = [".out.bad", ".full", ".dmesg", ".hints"]
        return endings.compactMap { ending in
            guard let text = TestInspector.end(of: base + ending, bytes: 1 << 20), !text.isEmpty else { return nil }
            return folder.save((name.split(separator: "/").last.map(String.init) ?? name) + ending, text)
        }
    }

    private static func end(of path: String, bytes: Int64) -> String? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return nil }
        defer { try? file.close() }
        let size = (try? file.seek(offset: 0, from: .end)) ?? 0
        let start = max(0, size - bytes)
        var data: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while let count = try? buffer.withUnsafeMutableBytes({
            try file.read(fromAbsoluteOffset: start + Int64(data.count), into: $0)
        }), count > 0, data.count < Int(bytes) {
            data += buffer[..<count]
        }
        return String(decoding: data, as: UTF8.self)
    }
}
