import BenchCore
import CBench
import CLinux
import Glibc
import SystemPackage

/// Carries tasks out on a few workers at a time, and goes on when one of them hangs or dies.
struct WorkerPool {
    let bench: Workbench
    let evidence: Evidence
    let target: String
    /// Workers at a time.
    var jobs: Int
    /// Of the daemon that serves what is tested.
    let health: DaemonHealth
    /// Seconds that any task gets.
    var longest = Int.max / 2
    /// Serves the place anew after a hang, as soon as nothing runs: what hangs once would take along all that comes after it. Nil where
    /// that cannot be done; gives the finding if it fails.
    var renew: (() -> TestResult?)?
    /// Told of what happens.
    let progress: (Event) -> Void

    enum Event {
        case started(WorkerTask)
        case surveyed(PlaceSurvey)
        case exercised([Exercise: Int])
        case ended(TestResult)
        /// Nothing but that time has passed.
        case time
    }

    /// Runs all tasks, in order as far as workers are free.
    ///
    /// - Throws: ``ResultsKeeping/Loss`` as soon as results cannot be kept any more.
    func run(_ tasks: [WorkerTask]) throws -> [TestResult] {
        var waiting = tasks[...]
        var results: [TestResult] = []
        var busy: [WorkerProcess] = []
        var idle: [WorkerProcess] = []
        var isStuck = false
        func add(_ result: TestResult) {
            bench.holdIfInterrupted()
            results.append(result)
            progress(.ended(result))
        }
        /// What fails because the daemon is gone has failed at nothing; that it is gone comes first, and once.
        func conclude(_ result: TestResult) {
            if result.verdict.isFailure {
                // Clients are told of an end before the parent is.
                let isTold = ["ENOTCONN", "ECONNABORTED"].contains { result.message.contains($0) }
                let death = health.findDeath(
                    within: isTold ? .seconds(1) : .zero, during: busy.compactMap(\.task?.name))
                if let death { add(death) }
                if health.isDead { return add(result.notTold) }
            }
            add(result)
        }
        while !waiting.isEmpty || !busy.isEmpty || isStuck {
            if isStuck, busy.isEmpty {
                isStuck = false
                idle.removeAll()
                if !health.isDead, let finding = renew?() { add(finding) }
                continue
            }
            if let loss = bench.keeping.loss { throw loss }
            if let death = health.findDeath(during: busy.compactMap(\.task?.name)) { add(death) }
            while !isStuck, busy.count < jobs, let task = waiting.popFirst() {
                if health.isDead {
                    add(TestResult(of: task, on: target, .skipped).notTold)
                    continue
                }
                let worker: WorkerProcess
                do {
                    worker = try idle.popLast() ?? WorkerProcess(bench: bench)
                    try worker.start(task)
                } catch {
                    bench.holdIfInterrupted()
                    throw error
                }
                busy.append(worker)
                progress(.started(task))
            }
            var entries = busy.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
            let left = busy.map { $0.timeLeft(longest: longest) }.min() ?? 0
            poll(&entries, nfds_t(entries.count), CInt(min(left / 1_000_000 + 1, 1000)))
            progress(.time)
            for worker in busy { worker.watch(beside: busy, longest: longest) }
            for (worker, entry) in zip(busy, entries) {
                if entry.revents != 0 {
                    guard let reports = worker.receive() else {
                        conclude(died(worker))
                        busy.removeAll { $0 === worker }
                        continue
                    }
                    for case .end(let end) in reports {
                        if let survey = end.survey { progress(.surveyed(survey)) }
                        if !end.exercised.isEmpty { progress(.exercised(end.exercised)) }
                        conclude(result(worker.task!, end))
                        worker.finish()
                        busy.removeAll { $0 === worker }
                        idle.append(worker)
                    }
                } else if worker.timeLeft(longest: longest) == 0, !worker.isSlow(servedBy: health.process),
                    !worker.hasSpoken
                {
                    conclude(hung(worker))
                    isStuck = renew != nil
                    busy.removeAll { $0 === worker }
                }
            }
        }
        return results
    }

    /// Tells that a task is not carried out.
    func skip(_ task: WorkerTask, _ reason: String) -> TestResult {
        var result = TestResult(of: task, on: target, .skipped)
        result.message = reason
        progress(.ended(result))
        return result
    }

    private func result(_ task: WorkerTask, _ end: TaskEnd) -> TestResult {
        var result = TestResult(
            of: task, on: target, end.verdict, seconds: end.seconds, message: TestResult.line(end.message))
        if let text = end.evidence { result.evidence = [save(task, text)] }
        if result.message != end.message { result.evidence.append(save(task, end.message + "\n")) }
        return result
    }

    private func hung(_ worker: WorkerProcess) -> TestResult {
        let task = worker.task!
        let seconds = Double(cbench_now() - worker.started) / 1e9
        let place = worker.giveUp()
        return TestResult(
            of: task, on: target, .hung, seconds: seconds,
            message: "no end within \(Int(seconds)) s, and nobody works at it", evidence: [save(task, place + "\n")])
    }

    private func died(_ worker: WorkerProcess) -> TestResult {
        let task = worker.task!
        let how = worker.exitCode().map { $0 < 0 ? "by signal \(-$0)" : "with exit status \($0)" } ?? "without a status"
        return TestResult(
            of: task, on: target, .crashed, seconds: Double(cbench_now() - worker.started) / 1e9,
            message: "the worker ended \(how)")
    }

    private func save(_ task: WorkerTask, _ text: String) -> String {
        var number = 0
        func name() -> String { number == 0 ? "\(task.name).txt" : "\(task.name)-\(number).txt" }
        while access(evidence.root.appending(evidence.folder).appending(name()).string, F_OK) == 0 { number += 1 }
        return evidence.save(name(), text)
    }
}

extension TestResult {
    fileprivate init(
        of task: WorkerTask, on target: String, _ verdict: Verdict, seconds: Double = 0, message: String = "",
        evidence: [String] = []
    ) {
        self.init(
            suite: "correctness", target: target, area: task.area, name: task.name, verdict: verdict, seconds: seconds,
            message: message, evidence: evidence)
    }

    /// The same test, of which a dead daemon allows to say nothing.
    fileprivate var notTold: TestResult {
        var result = self
        result.verdict = .skipped
        result.message = "the daemon had died"
        return result
    }
}
