public import BenchCore
import CBench
import Glibc
import SystemPackage

/// A place that a correctness run tests: a directory, or what a daemon serves.
public struct CorrectnessPlace: Sendable {
    /// What reports call it.
    public var label: String
    /// The directory that is tested.
    public var directory: String
    /// The same directory behind the mount, where there is one.
    public var source: String?
    /// A directory to compare with: plain, on the source's filesystem, or another mount.
    public var plain: String
    public var traits: TargetTraits

    public init(label: String, directory: String, source: String?, plain: String, traits: TargetTraits) {
        self.label = label
        self.directory = directory
        self.source = source
        self.plain = plain
        self.traits = traits
    }
}

/// The correctness suite on one place.
public struct CorrectnessRun {
    let place: CorrectnessPlace
    let options: CorrectnessOptions
    let bench: Workbench
    /// What serves the place; nil for a plain directory.
    let served: ServedDirectory?
    /// Told of each result as it comes, and of time passing.
    let progress: (Progress) -> Void

    /// How far a run is.
    public struct Progress {
        public var finished: Int
        public var planned: Int
        public var seconds: Double
        /// What has just begun, and what has just ended.
        public var started: (area: String, name: String)?
        public var result: TestResult?
        /// Something that a person should know.
        public var note: String?
    }

    public init(
        on place: CorrectnessPlace, _ options: CorrectnessOptions, bench: Workbench,
        progress: @escaping (Progress) -> Void
    ) {
        self.init(on: place, options, bench: bench, served: nil, progress: progress)
    }

    init(
        on place: CorrectnessPlace, _ options: CorrectnessOptions, bench: Workbench, served: ServedDirectory?,
        progress: @escaping (Progress) -> Void
    ) {
        self.place = place
        self.options = options
        self.bench = bench
        self.served = served
        self.progress = progress
    }

    /// Runs it all.
    ///
    /// - Returns: a result for each check and for each random part.
    public func run() throws -> [TestResult] {
        let start = cbench_now()
        func elapsed() -> Double { Double(cbench_now() - start) / 1e9 }
        var work = workPlace()
        let checks = options.replay == nil ? CheckList.all.filter { options.wants($0.name) } : []
        var planned = checks.count
        var finished = 0
        var exercised: [Exercise: Int] = [:]
        let evidence = bench.evidence.below(place.label)
        let health = DaemonHealth(place.label, evidence: evidence) { [served] in served?.daemon }
        func show(_ event: WorkerPool.Event) {
            var now = Progress(finished: finished, planned: planned, seconds: elapsed())
            switch event {
            case .started(let task): now.started = (task.area, task.name)
            case .surveyed(let survey):
                work.note(survey)
                now.note = survey.note(of: place.source != nil)
            case .exercised(let counts): exercised.merge(counts, uniquingKeysWith: +)
            case .time: break
            case .ended(let result):
                finished += 1
                if result.name == "many-files-appear-behind", result.verdict == .passed {
                    exercised[.lookup, default: 0] += manyNames
                }
                (now.finished, now.planned, now.result) = (finished, max(planned, finished), result)
            }
            progress(now)
        }
        func tell(_ note: String) {
            progress(Progress(finished: finished, planned: planned, seconds: elapsed(), note: note))
        }
        let jobs = max(1, options.jobs)
        var pool = WorkerPool(
            bench: bench, evidence: evidence, target: place.label, jobs: jobs, health: health, progress: show)
        var quiet = WorkerPool(bench: bench, evidence: evidence, target: place.label, jobs: 1, health: health) {
            event in
            // The bench's own tasks count only if they fail.
            switch event {
            case .ended(let result) where result.verdict.isFailure: show(event)
            case .surveyed: show(event)
            default: break
            }
        }
        // How often the daemon was started anew; what it had not written back went with it.
        var renewals = 0
        if let served, place.source != nil {
            pool.renew = {
                renewals += 1
                tell("the daemon hangs, and is started anew")
                return served.renew(evidence.below("hung-\(renewals)")).map { health.finding("remount", .failed, $0) }
            }
        }
        pool.longest = options.longestTask
        quiet.longest = options.longestTask
        let prepared = try quiet.run([.prepare(work)])
        if !health.isDead, let failure = failures(prepared).first {
            // A mount that does not answer is a finding.
            guard failure.verdict == .failed else { return prepared }
            throw CorrectnessUnavailable(description: "\(place.label): no folder to work in: \(failure.message)")
        }
        if let script = options.replay {
            let task = DifferentialTask(
                name: "replay", subject: "\(work.directory)/replay",
                reference: "\(work.plain ?? work.directory)/replay-plain",
                seed: options.seed, seconds: 0, script: script, makesDirectories: true)
            let isConcurrent = script.hasPrefix(ConcurrentRun.header)
            let concurrent = ConcurrentTask(directory: work.directory, seed: options.seed, seconds: 0, script: script)
            let results = try pool.run([isConcurrent ? .concurrent(concurrent) : .differential(task)])
            return results + failures(try quiet.run([.cleanUp(work)]))
        }
        var results = failures(prepared)
        if options.isQuick { pool.jobs = 2 * jobs }
        results += try pool.run(checks.filter { !$0.isAlone }.map { .check(name: $0.name, work, seed: options.seed) })
        pool.jobs = 1
        results += try pool.run(checks.filter(\.isAlone).map { .check(name: $0.name, work, seed: options.seed) })
        pool.jobs = jobs
        let parts = RandomParts(
            options: options, work: work, table: bench.folder.appending("integrity-\(place.label)").string)
        var round: UInt64 = 0
        repeat {
            let left = options.duration.map { $0 - elapsed() }
            let tasks = parts.tasks(round: round, secondsLeft: left)
            let renewalsBefore = renewals
            planned += tasks.count
            results += try pool.run(tasks)
            if let verification = parts.verification(round: round) {
                planned += 1
                if renewals > renewalsBefore {
                    results.append(
                        pool.skip(verification, "the daemon hung: what it had not written back went with it"))
                } else {
                    // Without a source nobody promises that anything outlives the daemon.
                    if !health.isDead, place.source != nil, let problem = served?.remount() {
                        results.append(health.finding("remount", .failed, problem))
                        show(.ended(results[results.count - 1]))
                    }
                    results += try pool.run([verification])
                }
            }
            round += 1
            if !exercised.isEmpty {
                tell("exercised: \(Exercise.words(exercised)): faults that seldom are seen with 95 %")
            }
        } while (options.duration ?? 0) - elapsed() > 5 && parts.hasAny && !health.isDead
        if options.wants("equal-rounds") || options.wants("no-stalls"), let served {
            planned += 2
            if let death = health.findDeath(during: []) {
                results.append(death)
                show(.ended(death))
            }
            let own =
                health.isDead
                ? ["equal-rounds", "no-stalls"].map { resource($0, .skipped, "the daemon had died") }
                : compareRounds(served)
            for result in own { show(.ended(result)) }
            results += own
        }
        // A mount that hangs, and was not made anew, is taken down by force.
        let hangs = pool.renew == nil && results.contains { $0.verdict == .hung }
        if !health.isDead, !hangs { results += failures(try quiet.run([.cleanUp(work)])) }
        if !health.isDead, !hangs, let problem = served?.end() {
            results.append(health.finding("end", .failed, problem))
            show(.ended(results[results.count - 1]))
        }
        return results
    }

    /// The same load over and over, and what the daemon holds after each.
    private func compareRounds(_ served: ServedDirectory) -> [TestResult] {
        let start = cbench_now()
        let evidence = bench.evidence.below(place.label).below("equal-rounds")
        let rounds = EqualRounds(
            on: served.daemon, bench: bench, scratch: bench.folder, operations: options.isQuick ? 1000 : 2000)
        var growth: TestResult
        switch rounds.run(seed: options.seed) {
        case .steady(let words): growth = resource("equal-rounds", .passed, words)
        case .growing(let words):
            growth = resource("equal-rounds", .failed, words)
            growth.evidence = served.daemon.collect(into: evidence)
        case .unknown(let why): growth = resource("equal-rounds", .skipped, why)
        }
        growth.seconds = Double(cbench_now() - start) / 1e9
        var latency = resource("no-stalls", rounds.stall == nil ? .passed : .failed, rounds.stall ?? "")
        latency.evidence = [evidence.save("latencies", rounds.latencies)]
        return [growth, latency]
    }

    private func resource(_ name: String, _ verdict: Verdict, _ message: String) -> TestResult {
        TestResult(
            suite: "correctness", target: place.label, area: "resources", name: name, verdict: verdict,
            seconds: 0, message: TestResult.line(message))
    }

    /// The bench's own tasks count only if they fail.
    private func failures(_ results: [TestResult]) -> [TestResult] {
        results.filter(\.verdict.isFailure)
    }

    private func workPlace() -> WorkPlace {
        // Not what the bench's own folder is called, which may lie beside it.
        let name = "fstestkit-\(bench.ledger.run)-work"
        return WorkPlace(
            directory: "\(place.directory)/\(name)", source: place.source.map { "\($0)/\(name)" },
            plain: "\(place.plain)/\(name)-plain", traits: place.traits)
    }
}

extension WorkPlace {
    /// Takes what was found out about the place.
    fileprivate mutating func note(_ survey: PlaceSurvey) {
        traits.mirrored = survey.mirrored
        traits.missing = survey.missing
        if !survey.mirrored.contains(.content) { source = nil }
    }
}

/// The random parts of a run, and how its time is shared among them.
private struct RandomParts {
    let options: CorrectnessOptions
    let work: WorkPlace
    /// Where an integrity task keeps what it has written: a file outside of what is tested.
    let table: String

    private var differential: Bool { options.wants("differential-sequences") }
    private var concurrent: Bool { options.wants("concurrent-sequences") }
    private var integrity: Bool { options.wants("integrity-under-load") || options.wants("integrity-after-remount") }

    var hasAny: Bool { differential || concurrent || integrity }

    /// The tasks of a round, each with its share of the time that is left; a round takes a minute at most.
    func tasks(round: UInt64, secondsLeft: Double?) -> [WorkerTask] {
        let parts: [(wanted: Bool, share: Double)] = [(differential, 0.5), (concurrent, 0.2), (integrity, 0.3)]
        let whole = parts.filter(\.wanted).map(\.share).reduce(0, +)
        let seconds = min(60, max(1, secondsLeft ?? options.randomSeconds * whole))
        let seed = options.seed &+ round &* 1000
        var tasks: [WorkerTask] = []
        func time(_ share: Double) -> Double { seconds * share / whole }
        let behind = work.traits.mirrored.contains([.content, .mode]) ? work.source : nil
        if differential, let plain = work.plain {
            for job in 0..<max(1, options.jobs) {
                var task = DifferentialTask(
                    subject: "\(work.directory)/differential\(job)", reference: "\(plain)/differential\(job)",
                    seed: seed &+ UInt64(job) &* 0x1000_0000, seconds: time(0.5))
                task.source = work.source.map { "\($0)/differential\(job)" }
                task.mirrored = work.traits.mirrored
                task.makesDirectories = round == 0
                task.leavesOutMissing = work.traits.losesFeatures
                task.leavesOutIdleTruncation = work.traits.isWriteback
                tasks.append(.differential(task))
            }
        }
        if concurrent {
            tasks.append(
                .concurrent(
                    ConcurrentTask(
                        directory: work.directory, source: behind, seed: seed, seconds: time(0.2),
                        leavesOutMissing: work.traits.losesFeatures)))
        }
        if integrity { tasks.append(.integrity(integrityTask(round, time(0.3)))) }
        return tasks
    }

    /// What is to be done after a remount.
    func verification(round: UInt64) -> WorkerTask? {
        integrity ? .verify(integrityTask(round, 0)) : nil
    }

    private func integrityTask(_ round: UInt64, _ seconds: Double) -> IntegrityTask {
        IntegrityTask(
            directory: "\(work.directory)/integrity\(round)",
            source: work.traits.mirrored.contains(.content) ? work.source.map { "\($0)/integrity\(round)" } : nil,
            missing: work.traits.missing, table: "\(table)-\(round)", seed: options.seed &+ round,
            seconds: seconds, processes: 4)
    }
}
