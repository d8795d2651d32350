public import BenchCore
import Glibc
import LinuxSystem
public import SystemPackage

/// Runs scenarios on targets, one cycle after the other, and writes down what came of each.
public final class StopPathRunner {
    public struct Outcome: Sendable {
        public var results: [TestResult] = []
        /// What a cycle left that could not be taken down, and why; the run was stopped there. Nil if there is nothing.
        public var stuck: String?
        public var isStuck: Bool { stuck != nil }
        /// What of the results could not be written; the run was stopped there. Nil if all is there.
        public var lost: ResultsKeeping.Loss?
        public var seconds = 0.0
    }

    let scenarios: [any Scenario]
    let targets: [Target]
    let settings: StopPathSettings
    let bench: Workbench
    let output: FilePath
    /// What to say to repeat a cycle, but for scenario, target and seed: `fstestkit stop-path --load write`.
    let repeatCommand: @Sendable (_ scenario: String, _ target: Target, _ seed: UInt64) -> String
    let listener: Listener

    /// Who hears how it goes.
    public struct Listener {
        /// A line for people for each cycle.
        public var progress: (String) -> Void
        /// The same for programs.
        public var event: (SuiteEvent) -> Void

        public init(progress: @escaping (String) -> Void = { _ in }, event: @escaping (SuiteEvent) -> Void = { _ in }) {
            self.progress = progress
            self.event = event
        }
    }

    private var outcome = Outcome()
    private let file: ResultFile
    private var images: [PowerCutImage.Kind: Result<PowerCutImage, ScenarioObstacle>] = [:]
    private let began = ContinuousClock.now
    private var done = 0
    /// Targets of which it was said what they have not.
    private var told: Set<String> = []

    public init(
        scenarios: [any Scenario], targets: [Target], settings: StopPathSettings, bench: Workbench, output: FilePath,
        repeatCommand: @escaping @Sendable (String, Target, UInt64) -> String, listener: Listener = Listener()
    ) {
        self.scenarios = scenarios
        self.targets = targets
        self.settings = settings
        self.bench = bench
        self.output = output
        self.repeatCommand = repeatCommand
        self.listener = listener
        file = ResultFile(output.appending("results.jsonl"), keeping: bench.keeping)
    }

    /// Runs them all. Interrupted, it is the workbench that cleans up.
    public func run() -> Outcome {
        listener.event(.planned(count: plannedCycles + 1))
        let slabs = FuseSlabs.obstacle == nil ? FuseSlabs.current() : nil
        let connections = FuseControl.connections
        outer: for scenario in scenarios {
            for target in targets {
                if settings.skipped.contains(scenario.name) {
                    done += settings.cycles
                    continue
                }
                if let obstacle = scenario.obstacle(on: target, settings: settings) {
                    done += settings.cycles
                    record(skipped(scenario, target, "not applicable: \(obstacle)"))
                    if bench.keeping.loss != nil { break outer }
                    continue
                }
                if !runCell(scenario, target) { break outer }
            }
        }
        checkSlabs(before: slabs, connectionsBefore: connections)
        outcome.seconds = (ContinuousClock.now - began).seconds
        outcome.lost = bench.keeping.loss
        // Cells that could not run had one result for all their cycles.
        if !outcome.isStuck, outcome.lost == nil { listener.event(.planned(count: outcome.results.count)) }
        return outcome
    }

    private var plannedCycles: Int {
        let cycles = scenarios.filter { !settings.skipped.contains($0.name) }.flatMap { scenario in
            (1...max(1, settings.cycles)).filter { !settings.skipped.contains(Self.name(scenario, $0)) }
        }
        return cycles.count * targets.count
    }

    /// - Returns: false if the run cannot go on.
    private func runCell(_ scenario: any Scenario, _ target: Target) -> Bool {
        for number in 1...max(1, settings.cycles) {
            if settings.skipped.contains(Self.name(scenario, number)) {
                done += 1
                continue
            }
            let (result, clean) = runCycle(scenario, target, number)
            done += 1
            record(result)
            if !clean || bench.keeping.loss != nil { return false }
            // A cell that cannot run here once cannot run here twice.
            if result.verdict == .skipped {
                done += settings.cycles - number
                break
            }
        }
        return true
    }

    private func runCycle(_ scenario: any Scenario, _ target: Target, _ number: Int) -> (TestResult, clean: Bool) {
        let seed = settings.seed &+ UInt64(number - 1)
        let name = Self.name(scenario, number)
        let start = ContinuousClock.now
        listener.event(.started(area: scenario.name, name: name))
        bench.reviewPace()
        let cycle: Cycle
        do {
            cycle = try makeCycle(scenario, target, number, seed)
        } catch {
            return (skipped(scenario, target, "the bench's folders could not be made: \(error)"), true)
        }
        var obstacle: String?
        do {
            try scenario.run(cycle)
        } catch let error as ScenarioObstacle {
            obstacle = error.description
            cycle.expect.connectionEnds = true
            cycle.expect.exit = .any
            cycle.daemon?.forceDown(clients: cycle.clients.map(\.process) + cycle.helpers)
        } catch let error as DaemonError {
            cycle.fail(.newMount, "\(error)")
            cycle.expect.exit = .any
        } catch {
            obstacle = "\(error)"
            cycle.expect.exit = .any
            cycle.daemon?.forceDown(clients: cycle.clients.map(\.process) + cycle.helpers)
        }
        let clean = cycle.conclude(scenario.oracles)
        if !clean { outcome.stuck = "after \(scenario.name) on \(target.label): \(cycle.leftover)" }
        tellMissing(cycle, on: target)
        cleanFolders(of: cycle)
        if let obstacle, clean { return (skipped(scenario, target, obstacle), true) }
        let failures = cycle.reports.filter(\.isFailure)
        let seconds = (ContinuousClock.now - start).seconds
        var files = cycle.files
        if !failures.isEmpty {
            let command = repeatCommand(scenario.name, target, seed)
            files.append(cycle.evidence.save("repeat", "seed \(seed)\n\(command)\n"))
            if let log = cycle.kernelLog?.text { files.append(cycle.evidence.save("kernel.log", log)) }
            files.append(
                cycle.evidence.save(
                    "findings", failures.map { "\($0.oracle.label): \($0.message)\n" }.joined()))
        }
        let verdict: Verdict = failures.isEmpty ? .passed : cycle.hung ? .hung : .failed
        let result = TestResult(
            suite: "stop-path", target: target.label, area: scenario.name, name: name, verdict: verdict,
            seconds: seconds,
            message: TestResult.line(
                failures.map { "\($0.oracle.label): \($0.message)" }.joined(separator: "; ")),
            evidence: Array(Set(files)).sorted(), checks: StopPathRunner.checks(cycle.reports))
        return (result, clean)
    }

    /// What a daemon has not is said once, and the loads do without it.
    private func tellMissing(_ cycle: Cycle, on target: Target) {
        let missing = cycle.clients.compactMap(\.status?.missing).reduce(LoadFeatures()) { $0.union($1) }
        guard !missing.isEmpty, told.insert(target.label).inserted else { return }
        listener.progress("\(target.label) has \(missing.words): the load does without")
    }

    /// One for each oracle that said something: its failure, if it had one.
    private static func checks(_ reports: [OracleReport]) -> [TestResult.Check] {
        Oracle.allCases.compactMap { oracle in
            let own = reports.filter { $0.oracle == oracle }
            return (own.first(where: \.isFailure) ?? own.first)?.check
        }
    }

    private static func name(_ scenario: any Scenario, _ number: Int) -> String { "\(scenario.name)/\(number)" }

    private func makeCycle(_ scenario: any Scenario, _ target: Target, _ number: Int, _ seed: UInt64) throws(Errno)
        -> Cycle
    {
        let id = bench.nextNumber()
        let scratch = try bench.makeFolder("cycle-\(id)")
        let source = try bench.makeFolder("source-\(id)")
        let mountPoint = try bench.makeFolder("mnt-\(id)")
        let cycle = Cycle(
            // The scenario's number makes the choices of different scenarios independent of each other.
            target: target, seed: seed &* 1000 &+ UInt64(scenario.number), turn: seed, depth: scenario.depth,
            settings: settings,
            bench: bench, source: source, mountPoint: mountPoint, scratch: scratch,
            evidence: bench.evidence.below(
                "\(scenario.name)-\(target.label.map { $0 == "/" ? "_" : String($0) }.joined())-\(seed)"))
        cycle.powerCut = { [self] kind in image(kind) }
        return cycle
    }

    private func image(_ kind: PowerCutImage.Kind) -> Result<PowerCutImage, ScenarioObstacle> {
        if let image = images[kind] { return image }
        let image = PowerCutImage.make(kind, bench: bench)
        images[kind] = image
        return image
    }

    /// What the cycle served lies on the bench's own filesystems; a mount that is still there is left alone.
    private func cleanFolders(of cycle: Cycle) {
        for folder in [cycle.source, cycle.scratch, cycle.mountPoint]
        where MountTable.mounts(below: folder.string).isEmpty {
            _ = Cleaner.removeTree(folder.string)
        }
    }

    private func skipped(_ scenario: any Scenario, _ target: Target, _ why: String) -> TestResult {
        TestResult(
            suite: "stop-path", target: target.label, area: scenario.name, name: scenario.name, verdict: .skipped,
            seconds: 0,
            message: why)
    }

    /// Over the whole run, the kernel's objects must not have grown with the cycles.
    private func checkSlabs(before: FuseSlabs?, connectionsBefore: Set<UInt32>) {
        let cycles = outcome.results.filter { $0.verdict != .skipped }.count
        var check = TestResult(
            suite: "stop-path", target: "kernel", area: "run", name: "kernel objects", verdict: .passed, seconds: 0)
        guard let before else {
            check.verdict = .skipped
            check.message = "unavailable: \(FuseSlabs.obstacle ?? "/proc/slabinfo cannot be read")"
            return record(check)
        }
        // Objects go a grace period after the last user.
        var growth: [String] = []
        _ = Deadline(after: bench.pace(.seconds(3))).wait(upTo: .milliseconds(100)) {
            growth = FuseSlabs.current()?.growth(since: before, over: cycles) ?? []
            return growth.isEmpty
        }
        if !growth.isEmpty {
            let others = FuseControl.connections.union(connectionsBefore)
            check.verdict = others.isEmpty ? .failed : .skipped
            check.message = growth.joined(separator: "; ") + (others.isEmpty ? "" : ", while others used FUSE too")
        }
        record(check)
    }

    private func record(_ result: TestResult) {
        bench.holdIfInterrupted()
        outcome.results.append(result)
        file.append(result)
        listener.progress(line(for: result))
        listener.event(.finished(result))
    }

    private func line(for result: TestResult) -> String {
        let all = scenarios.count * targets.count * max(1, settings.cycles)
        let elapsed = (ContinuousClock.now - began).seconds
        let left = done > 0 && done < all ? Double(all - done) * elapsed / Double(done) : 0
        let verdict = result.verdict == .passed ? "ok" : result.verdict.rawValue
        let time = result.verdict == .skipped ? "" : " \(StopPathReport.decimal(result.seconds, 2)) s"
        let estimate = left > 0 ? "  about \(Int(left.rounded(.up))) s left" : ""
        return "[\(done)/\(all)] \(result.name) on \(result.target): \(verdict)\(time)"
            + (result.message.isEmpty ? "" : "  (\(result.message))") + estimate
    }
}
