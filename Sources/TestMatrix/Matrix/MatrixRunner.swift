public import BenchCore
import Foundation
import SystemPackage

/// Runs the cells of a plan one after the other: they share a kernel, whose log tells who is to blame. Each result is in the store
/// before the next test has ended.
public final class MatrixRunner {
    private let store: Store
    private let plan: MatrixPlan
    private var run: RunRecord
    private let folder: RunFolder
    private let bench: Workbench
    private let view: any MatrixView
    private let command: SuiteCommand
    private let isStopped: () -> Bool
    private var progress: MatrixProgress

    /// - Parameters:
    ///   - cells: as recorded, in the plan's order.
    ///   - program: this project's program.
    ///   - isStopped: becomes true when the run shall end early.
    public init(
        store: Store, plan: MatrixPlan, run: RunRecord, cells: [CellRecord], folder: RunFolder, bench: Workbench,
        program: String, view: any MatrixView, isStopped: @escaping () -> Bool
    ) throws {
        self.store = store
        self.plan = plan
        self.run = run
        self.folder = folder
        self.bench = bench
        self.view = view
        self.isStopped = isStopped
        command = SuiteCommand(configuration: plan.configuration, program: program)
        let expected = try store.expectedSeconds()
        let results = try store.results(of: run)
        progress = MatrixProgress(
            run: run,
            cells: cells.map { record in
                var cell = MatrixProgress.CellProgress(record: record)
                cell.counts = Counts((results[record.id] ?? []).map(\.verdict))
                cell.expected = expected["\(record.cell.suite)/\(record.cell.column)"]
                return cell
            }, began: Date())
        for cell in cells {
            for result in results[cell.id] ?? [] where result.verdict.isFailure {
                progress.failures.append(.init(cell: cell.cell, result: result))
            }
        }
        folder.note(ledger: bench.ledger.run)
    }

    /// Runs every planned cell.
    ///
    /// - Returns: the run as it ended.
    public func runAll() throws -> RunRecord {
        view.show(.began, progress)
        for index in progress.cells.indices where progress.cells[index].record.state == .planned {
            if isStopped() { break }
            try runCell(index)
        }
        let lacksCells = progress.cells.contains { $0.record.isMissing(inShard: run.shard) }
        run = try store.end(run, state: lacksCells ? .interrupted : .finished, at: Date())
        store.checkpoint()
        view.show(.ended, progress)
        return run
    }

    private func runCell(_ index: Int) throws {
        let entry = plan.entries[progress.cells[index].record.position]
        let place = entry.cell.folder
        let path = folder.path + "/" + place
        // xfstests keeps a journal and goes on with its next test; the other suites take minutes and begin again.
        let isResumed =
            progress.cells[index].record.attempts > 0 && entry.cell.suite == "xfstests"
            && FileManager.default.fileExists(atPath: path + "/journal.jsonl")
        // Another attempt's evidence is no evidence of this one; a suite that resumes needs it.
        if !isResumed { try? FileManager.default.removeItem(atPath: path) }
        try? FileManager.default.removeItem(atPath: path + "/events.jsonl")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let patience = Duration.milliseconds(Int(plan.configuration.timeout * 1000))
        let suite = SuiteRun(
            bench: bench, command: command.arguments(entry, output: path, isResumed: isResumed), folder: path,
            // A guest that says nothing is ended by who runs it, after the same time, and may have had to boot before.
            silence: entry.guest == nil ? patience : patience * 2 + .seconds(120),
            mayRepeat: MatrixConfiguration.builtInSuites.contains(entry.cell.suite))
        var record = progress.cells[index].record
        record.state = .running
        record.started = Date()
        record.attempts += 1
        record.command = command.arguments(entry, output: place, isResumed: isResumed)
        record.log = place + "/log"
        try store.update(record)
        record.machine = nil
        progress.cells[index].record = record
        progress.cells[index].counts = Counts()
        progress.current = index
        view.show(.cellBegan(index), progress)
        let began = ContinuousClock.now
        let end = try suite.run(
            isStopped: isStopped, tick: { [self] in view.tick(progress) },
            take: { [self] in try take($0, index, place) })
        record.seconds = began.duration(to: .now).seconds
        try finish(index, record, suite, end, place)
        progress.current = nil
        view.show(.cellEnded(index), progress)
    }

    private func take(_ events: [SuiteEvent], _ index: Int, _ place: String) throws {
        var results: [TestResult] = []
        for event in events {
            switch event {
            case .planned(let count): progress.cells[index].planned = count
            case .started(let area, let name):
                progress.cells[index].current = area + "/" + name
                progress.cells[index].testBegan = Date()
                view.show(.testBegan(index), progress)
            case .finished(let result): results.append(adapted(result, index, place))
            case .machine(let machine): progress.cells[index].record.machine = machine
            }
        }
        try store.append(results, to: progress.cells[index].record, position: progress.cells[index].counts.total)
        for result in results { show(result, index) }
    }

    private func show(_ result: TestResult, _ index: Int) {
        progress.cells[index].counts[result.verdict] += 1
        if result.verdict.isFailure {
            progress.failures.append(.init(cell: progress.cells[index].record.cell, result: result))
        }
        view.show(.result(index, result), progress)
    }

    /// A suite names its target and its files as it sees them; here they are one of many.
    private func adapted(_ result: TestResult, _ index: Int, _ place: String) -> TestResult {
        var result = result
        result.suite = progress.cells[index].record.cell.suite
        result.target = progress.cells[index].record.cell.track
        let prefix = folder.path + "/"
        result.evidence = result.evidence.map { path in
            path.hasPrefix(prefix)
                ? String(path.dropFirst(prefix.count)) : path.hasPrefix("/") ? path : place + "/" + path
        }
        return result
    }

    private func finish(
        _ index: Int, _ record: CellRecord, _ suite: SuiteRun, _ end: SuiteRun.End, _ place: String
    ) throws {
        var record = record
        record.machine = progress.cells[index].record.machine
        record.state = .finished
        switch end {
        case .finished: break
        case .unavailable(let reason):
            record.state = .leftOut
            record.reason = reason
        case .broken(let verdict, let message):
            record.state = .broken
            record.reason = message
            for line in RunFolder.cleanUp(after: suite.process.map { [$0] } ?? []) { view.show(.note(line), progress) }
            // The test that was running is to blame, or the suite as a whole.
            let began = suite.current == nil ? record.started : progress.cells[index].testBegan
            let result = TestResult(
                suite: record.cell.suite, target: record.cell.track, area: suite.current?.area ?? "suite",
                name: suite.current?.name ?? "runs to its end", verdict: verdict,
                seconds: began.map { Date().timeIntervalSince($0) } ?? 0, message: message, evidence: [place + "/log"])
            try store.append([result], to: record, position: progress.cells[index].counts.total)
            show(result, index)
        case .interrupted:
            // What it had found stays; a resume runs it again as a whole.
            record.state = .running
        }
        progress.cells[index].current = nil
        progress.cells[index].record = record
        try store.update(record)
    }
}

extension MatrixRunner {
    /// The cells of a plan as they are before the first is run: planned, left out with a reason, or another shard's.
    ///
    /// - Parameter assignment: who has which cell; nil if they are dealt out in turn.
    public static func cells(
        _ plan: MatrixPlan, shard: Shard?, assignment: ShardAssignment? = nil, availability: Availability
    ) -> [CellRecord] {
        let assignment =
            shard.map { assignment ?? ShardAssignment(cells: plan.entries.count, inTurnTo: $0.count) }
        return plan.entries.enumerated().map { index, entry in
            var record = CellRecord(cell: entry.cell, position: index, seed: entry.seed)
            if let owner = assignment?.owner(of: index), owner != shard {
                record.state = .elsewhere
                record.reason = owner.name
            } else if let obstacle = availability.obstacle(entry, plan.configuration) {
                record.state = .leftOut
                record.reason = obstacle
            }
            return record
        }
    }
}
