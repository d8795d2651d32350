public import BenchCore
import Glibc
import LinuxSystem
public import SystemPackage

/// A whole run: cycles over sections, failed tests again, all of it from the journal on.
public final class XFSTestsRun {
    public enum Problem: Error, Sendable {
        /// The backing filesystem could not be made: a command and its output.
        case noBacking(String, String)
        case noConfiguration(Errno)
        /// `check` does not begin: its output.
        case notStarted(String)
        /// What a former bench of this run left cannot be removed.
        case leftovers([String])
    }

    /// What happens, for the terminal.
    public enum Event: Sendable {
        case resumed(done: Int)
        case sectionBegan(cycle: Int, section: String, tests: Int)
        case testBegan(XFSTestsKey)
        case testEnded(XFSTestsRecord, expected: XFSTestsOutcome?)
        case repeating(section: String, tests: Int, attempt: Int)
    }

    public let bench: Workbench
    public let journal: XFSTestsJournal
    private var plan: XFSTestsPlan { journal.plan }
    private let baselines: [String: XFSTestsBaseline]
    /// Seconds for each of the watchdog's steps.
    public var grace = 30.0
    public var report: (Event) -> Void = { _ in }
    private var mustStop = false

    public init(bench: Workbench, journal: XFSTestsJournal) {
        self.bench = bench
        self.journal = journal
        baselines = journal.plan.baselines.compactMapValues { path in
            contents(of: path).flatMap { try? XFSTestsBaseline($0) }
        }
    }

    public func run() throws(Problem) {
        try removeFormerBenches()
        if !journal.records.isEmpty { report(.resumed(done: journal.records.count)) }
        journal.begin(bench: bench)
        let backing: XFSTestsBacking
        do throws(XFSTestsBacking.Problem) {
            backing = try XFSTestsBacking(plan.backing, gigabytes: plan.imageSize, bench: bench)
        } catch {
            guard case .failed(let command, let output) = error else { return }
            throw .noBacking(command, output)
        }
        let runner: CheckRunner
        do throws(Errno) {
            let gate = try CheckGate(folder: bench.folder)
            let configuration = try XFSTestsConfiguration(
                plan: plan, backing: backing, gate: gate.script, bench: bench)
            runner = CheckRunner(
                bench: bench, plan: plan, journal: journal, configuration: configuration, gate: gate)
        } catch {
            throw .noConfiguration(error)
        }
        var cycle = 1
        while !mustStop && cycle <= plan.cycles ?? .max {
            for section in plan.sections where !mustStop { try run(cycle, section, runner) }
            cycle += 1
        }
    }

    /// A bench that was killed leaves `check`, daemons, mounts and images.
    private func removeFormerBenches() throws(Problem) {
        for former in journal.formerBenches where former.run != bench.ledger.run {
            let path = Ledger.folder.appending("\(former.run).ledger").string
            if access(path, F_OK) == 0 {
                let report = Cleaner(run: former.run, path: path).clean()
                if !report.isClean { throw .leftovers(report.failures) }
            }
            // After a reboot the ledger is gone, and only the folder is left.
            var status = stat()
            if former.folder.contains("fstestkit-\(former.run)"), lstat(former.folder, &status) == 0,
                MountTable.mounts(below: former.folder).isEmpty
            {
                _ = Cleaner.removeTree(former.folder)
            }
        }
    }

    private func run(_ cycle: Int, _ section: String, _ runner: CheckRunner) throws(Problem) {
        let order = plan.order(cycle: cycle)
        func isDone(_ name: String) -> Bool {
            journal.isDone(XFSTestsKey(cycle: cycle, section: section, name: name))
        }
        journal.end(
            order.filter { plan.excluded[$0] != nil && !isDone($0) }.map { name in
                XFSTestsRecord(
                    key: XFSTestsKey(cycle: cycle, section: section, name: name), outcome: .excluded,
                    reason: plan.excluded[name] ?? "")
            })
        let tests = order.filter { !isDone($0) }
        if !tests.isEmpty {
            report(.sectionBegan(cycle: cycle, section: section, tests: tests.count))
            try run(tests, cycle, section, attempt: 0, runner)
        }
        // Failed against expectation: again, to tell whether it always does.
        guard plan.reruns > 0 else { return }
        for attempt in 1...plan.reruns where !mustStop {
            let again = journal.records.filter { record in
                record.key.cycle == cycle && record.key.section == section && record.key.attempt == 0
                    && (record.outcome == .fail || record.outcome == .crashed) && isUnexpected(record)
            }.map(\.key.name).filter { name in
                !journal.isDone(XFSTestsKey(cycle: cycle, section: section, name: name, attempt: attempt))
            }
            if again.isEmpty { continue }
            report(.repeating(section: section, tests: again.count, attempt: attempt))
            try run(again, cycle, section, attempt: attempt, runner)
        }
    }

    private func run(
        _ tests: [String], _ cycle: Int, _ section: String, attempt: Int, _ runner: CheckRunner
    ) throws(Problem) {
        let batch = CheckRunner.Batch(cycle: cycle, section: section, attempt: attempt, known: knownSeconds(section))
        runner.grace = grace
        runner.goesOn = { [plan] record in
            if plan.untilFailure && attempt == 0 && self.isUnexpected(record) { self.mustStop = true }
            return !self.mustStop
        }
        runner.progress = { [report] name, record in
            if let record {
                report(.testEnded(record, expected: self.expectation(record.key)))
            } else {
                report(.testBegan(batch.key(name)))
            }
        }
        do throws(CheckRunner.Problem) {
            _ = try runner.run(tests, batch)
        } catch {
            guard case .notStarted(let output) = error else { return }
            throw .notStarted(output)
        }
        keepXUnit(runner.configuration, batch)
    }

    private func expectation(_ key: XFSTestsKey) -> XFSTestsOutcome? {
        baselines[key.section]?.tests[key.name]?.outcome
    }

    private func isUnexpected(_ record: XFSTestsRecord) -> Bool {
        XFSTestsComparison.isUnexpectedFailure(record.outcome, expected: expectation(record.key))
    }

    /// The longest that each test took in this run or, before it ran, in the baseline.
    private func knownSeconds(_ section: String) -> [String: Double] {
        var known = (baselines[section]?.tests ?? [:]).compactMapValues { $0.seconds.map(Double.init) }
        for record in journal.records where record.key.section == section && record.outcome == .pass {
            known[record.key.name] = max(known[record.key.name] ?? 0, record.seconds)
        }
        return known
    }

    /// xfstests' own report, for tools that know it.
    private func keepXUnit(_ configuration: XFSTestsConfiguration, _ batch: CheckRunner.Batch) {
        let path = configuration.results.appending("\(batch.section)/result.xml").string
        guard let text = contents(of: path) else { return }
        Evidence(root: journal.output, folder: "logs").save("\(batch.logName).result.xml", text)
    }
}
