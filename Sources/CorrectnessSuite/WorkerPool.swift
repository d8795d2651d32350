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
    let jobs: Int
    /// Seconds that any task gets.
    var longest = Int.max / 2
    /// Told of what happens.
    let progress: (Event) -> Void

    enum Event {
        case started(WorkerTask)
        case ended(TestResult)
        /// Nothing but that time has passed.
        case time
    }

    /// Runs all tasks, in order as far as workers are free.
    func run(_ tasks: [WorkerTask]) throws -> [TestResult] {
        var waiting = tasks[...]
        var results: [TestResult] = []
        var busy: [WorkerProcess] = []
        var idle: [WorkerProcess] = []
        func add(_ result: TestResult) {
            results.append(result)
            progress(.ended(result))
        }
        while !waiting.isEmpty || !busy.isEmpty {
            while busy.count < jobs, let task = waiting.popFirst() {
                let worker = try idle.popLast() ?? WorkerProcess(bench: bench)
                try worker.start(task)
                busy.append(worker)
                progress(.started(task))
            }
            var entries = busy.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
            let left = busy.map { $0.timeLeft(longest: longest) }.min() ?? 0
            poll(&entries, nfds_t(entries.count), CInt(min(left / 1_000_000 + 1, 1000)))
            progress(.time)
            for (worker, entry) in zip(busy, entries) {
                if entry.revents != 0 {
                    guard let reports = worker.receive() else {
                        add(died(worker))
                        busy.removeAll { $0 === worker }
                        continue
                    }
                    for case .end(let end) in reports {
                        add(result(worker.task!, end))
                        worker.finish()
                        busy.removeAll { $0 === worker }
                        idle.append(worker)
                    }
                } else if worker.timeLeft(longest: longest) == 0 {
                    add(hung(worker))
                    busy.removeAll { $0 === worker }
                }
            }
        }
        return results
    }

    private func result(_ task: WorkerTask, _ end: TaskEnd) -> TestResult {
        var result = TestResult(
            suite: "correctness", target: target, area: task.area, name: task.name, verdict: end.verdict,
            seconds: end.seconds,
            message: TestResult.line(end.message))
        if let text = end.evidence { result.evidence = [save(task, text)] }
        if result.message != end.message { result.evidence.append(save(task, end.message + "\n")) }
        return result
    }

    private func hung(_ worker: WorkerProcess) -> TestResult {
        let task = worker.task!
        let seconds = Double(cbench_now() - worker.started) / 1e9
        let place = worker.giveUp()
        return TestResult(
            suite: "correctness", target: target, area: task.area, name: task.name, verdict: .hung, seconds: seconds,
            message: "no end within \(min(task.deadline, longest)) s", evidence: [save(task, place + "\n")])
    }

    private func died(_ worker: WorkerProcess) -> TestResult {
        let task = worker.task!
        let how = worker.exitCode().map { $0 < 0 ? "by signal \(-$0)" : "with exit status \($0)" } ?? "without a status"
        return TestResult(
            suite: "correctness", target: target, area: task.area, name: task.name, verdict: .crashed,
            seconds: Double(cbench_now() - worker.started) / 1e9, message: "the worker ended \(how)")
    }

    private func save(_ task: WorkerTask, _ text: String) -> String {
        var number = 0
        func name() -> String { number == 0 ? "\(task.name).txt" : "\(task.name)-\(number).txt" }
        while access(evidence.root.appending(evidence.folder).appending(name()).string, F_OK) == 0 { number += 1 }
        return evidence.save(name(), text)
    }
}
