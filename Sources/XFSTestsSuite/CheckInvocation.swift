import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// One running `check`: follows its output, answers the gate, watches time and daemons, writes the journal.
final class CheckInvocation {
    private let runner: CheckRunner
    private let batch: CheckRunner.Batch
    private let tests: [String]
    private var output: CheckOutput
    private let log: FilePath
    private var offset = 0
    private var current: RunningTest?
    private var finished: Set<String> = []
    private var idleSince = ContinuousClock.now
    private var mustEnd = false
    private(set) var wantsMore = true

    init(runner: CheckRunner, batch: CheckRunner.Batch, tests: [String]) {
        self.runner = runner
        self.batch = batch
        self.tests = tests
        output = CheckOutput(tests: tests)
        log = runner.journal.output.appending("logs/\(batch.logName).out")
        Evidence.makeFolders(log.removingLastComponent().string)
        offset =
            (try? FileDescriptor.open(log, .readOnly))
            .flatMap { file in try? file.closeAfter { Int(try file.seek(offset: 0, from: .end)) } } ?? 0
    }

    /// The end of what `check` printed.
    var tail: String { MountedDaemon.tail(of: log, lines: 12) }

    /// - Returns: the tests that have a result now.
    func run() throws(CheckRunner.Problem) -> Set<String> {
        runner.watch.abort()
        runner.watch.unmountAll()
        let command = runner.configuration.command(checkout: runner.plan.checkout, section: batch.section, tests: tests)
        let environment = runner.configuration.environment(section: batch.section, bench: runner.bench)
        let check: ChildProcess
        do throws(Errno) {
            check = try runner.bench.spawn(command, environment: environment, output: log)
        } catch {
            throw .notStarted("bash: \(error)")
        }
        runner.watch.others.insert(check.id.pid)
        defer { runner.watch.others.remove(check.id.pid) }
        while check.isRunning {
            let asking = runner.gate.wait(.milliseconds(100))
            follow(check)
            if let asking { admit(asking, check) }
            watchTime(check)
            if mustEnd { end(check) }
        }
        follow(check)
        if let event = output.end() { take(event, check, died: true) }
        // Whatever the end of check left mounted, the next start would stumble over.
        runner.watch.abort()
        runner.watch.unmountAll()
        return finished
    }

    private func follow(_ check: ChildProcess) {
        runner.watch.look()
        for event in output.take(readOn()) { take(event, check) }
    }

    private func readOn() -> String {
        guard let file = try? FileDescriptor.open(log, .readOnly, options: .closeOnExec) else { return "" }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while let count = try? buffer.withUnsafeMutableBytes({
            try file.read(fromAbsoluteOffset: Int64(offset), into: $0)
        }),
            count > 0
        {
            bytes += buffer[..<count]
            offset += count
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func take(_ event: CheckOutput.Event, _ check: ChildProcess, died: Bool = false) {
        idleSince = .now
        // It is being ended because no more is wanted: what it still says is of no test.
        if !wantsMore || runner.bench.isBeingClosed { return }
        switch event {
        case .finished: break
        case .began(let name):
            runner.journal.begin(batch.key(name))
            runner.progress(name, nil)
            current = RunningTest(
                name: name, limit: runner.plan.limit(for: name, known: batch.known[name]), grace: runner.grace)
        case .ended(let name, let verdict):
            guard var test = current, test.name == name else { break }
            current = nil
            if died && test.hang == nil {
                let status = check.exitStatus.map { "\($0)" } ?? "it was stopped"
                test.crash = "check ended in the middle of it: \(status)"
            }
            finish(test, verdict, check)
        }
    }

    /// A test wants to start: it may, once the last one's traces are gone.
    private func admit(_ name: String, _ check: ChildProcess) {
        if mustEnd { return }
        if current?.name == name {
            current?.start(limit: runner.plan.limit(for: name, known: batch.known[name]), grace: runner.grace)
        }
        runner.gate.open()
    }

    private func finish(_ test: RunningTest, _ verdict: CheckVerdict, _ check: ChildProcess) {
        let inspector = TestInspector(runner: runner, batch: batch, check: check.id.pid)
        let record = inspector.record(test, verdict)
        runner.journal.end(record)
        finished.insert(test.name)
        runner.progress(test.name, record)
        if !runner.goesOn(record) {
            wantsMore = false
            mustEnd = true
        }
    }

    // MARK: Time

    private func watchTime(_ check: ChildProcess) {
        guard current != nil else {
            if (ContinuousClock.now - idleSince).seconds > runner.idleLimit { mustEnd = true }
            return
        }
        guard let limit = current?.watchdog.limit, let step = current?.watchdog.due() else { return }
        let processes = TestProcesses(bench: runner.bench, check: check.id.pid, watch: runner.watch)
        switch step {
        case .watching: break
        case .aborted:
            let evidence = runner.bench.evidence.below(batch.logName).below(RunningTest.folder(current!.name))
            let files = HangEvidence(bench: runner.bench, watch: runner.watch, processes: processes)
                .collect(into: evidence, kernelLog: current!.kernelLog, withStatistics: runner.plan.server == .own)
            current?.evidence += files
            current?.hang = "not done after \(Int(limit)) s"
            runner.watch.abort()
        case .killed:
            current?.hang? += ", not even after its connections were aborted"
            runner.watch.abort()
            for process in processes.all() { process.signal(SIGKILL) }
            runner.watch.unmountAll()
        case .given:
            current?.hang? += ", nor after its processes were killed"
            mustEnd = true
        }
    }

    /// Kills `check` and all that it started.
    private func end(_ check: ChildProcess) {
        let processes = TestProcesses(bench: runner.bench, check: check.id.pid, watch: runner.watch)
        runner.watch.abort()
        check.signalGroup(SIGKILL)
        for process in processes.all() { process.signal(SIGKILL) }
        runner.watch.unmountAll()
        _ = check.wait(.seconds(10))
    }
}
