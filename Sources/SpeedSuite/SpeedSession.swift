public import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// A run of the bench: all jobs on all subjects, in rounds. In each round each job is run on every subject, one right after the
/// other, since what is compared must be close in time; the order is another one each time.
public final class SpeedSession {
    /// What a session tells as it goes; the record has what was measured so far.
    public enum Event {
        case began
        /// A job is about to be run on a subject, by their places in the record.
        case trying(job: Int, subject: Int)
        case tried
        /// A round is over, and so many seconds are left, as far as can be told.
        case round(Int, secondsLeft: Double)
    }

    public private(set) var record: SpeedRecord
    private let settings: SpeedSettings
    private var runner: TrialRunner
    private let sources: [SpeedSource]
    /// For each job of the record: what it is, and over which source.
    private let places: [(job: SpeedJob, source: Int)]
    private var random: SplitMix64
    private let start = ContinuousClock.now
    /// Jobs that are still measured, and the seconds that each took in its last round.
    private var active: Set<Int> = []
    private var durations: [Int: Double] = [:]
    /// Subjects on which a job fails time and again.
    private var hopeless: Set<Pair> = []

    private struct Pair: Hashable { let job, subject: Int }

    /// - Throws: ``SpeedUnavailable``.
    public init(_ settings: SpeedSettings, bench: Workbench) throws(SpeedUnavailable) {
        var settings = settings
        settings.fit(intoMiB: SpeedSession.availableMemory)
        self.settings = settings
        runner = TrialRunner(settings: settings, bench: bench)
        random = SplitMix64(seed: settings.seed)
        sources = try SpeedSession.sources(settings, bench)
        var jobs: [SpeedRecord.Job] = []
        var places: [(job: SpeedJob, source: Int)] = []
        for (index, source) in sources.enumerated() {
            for job in settings.jobs {
                places.append((job, index))
                var entry = SpeedRecord.Job(
                    name: job.name, place: source.label, clients: job.clients, depth: job.depth, unit: job.unit,
                    summary: job.summary)
                entry.digest = job.digest
                jobs.append(entry)
            }
        }
        self.places = places
        guard let reference = settings.subjects.firstIndex(where: { $0.label == settings.reference }) else {
            throw SpeedUnavailable("there is no subject '\(settings.reference)' to compare with")
        }
        record = SpeedRecord(
            seed: settings.seed, settings: settings.text,
            subjects: settings.subjects.map { target in
                SpeedRecord.Subject(
                    name: target.label,
                    command: target.command(program: "fstestkit", source: "SOURCE", mountPoint: "MOUNTPOINT") ?? [])
            }, reference: reference, jobs: jobs)
        describeMachine()
    }

    private static func sources(_ settings: SpeedSettings, _ bench: Workbench) throws(SpeedUnavailable) -> [SpeedSource]
    {
        let types = settings.directories.map(SpeedSource.fileSystem(of:))
        let command = FioCommand(settings: settings)
        var sources: [SpeedSource] = []
        for (directory, type) in zip(settings.directories, types) {
            let isAlone = types.filter { $0 == type }.count == 1
            do throws(Errno) {
                sources.append(
                    try SpeedSource(
                        in: directory, label: isAlone ? type : "\(type) \(directory)", bench: bench, command: command))
            } catch {
                throw SpeedUnavailable("nothing can be made in \(directory): \(error)")
            }
        }
        return sources
    }

    /// Runs all rounds.
    ///
    /// - Parameter isStopped: asked before each trial.
    public func run(isStopped: @escaping () -> Bool, _ tell: (Event) -> Void) {
        runner.isStopped = isStopped
        let state = MachineState()
        lookForObstacles()
        active = Set(record.jobs.indices.filter { record.jobs[$0].obstacle == nil })
        tell(.began)
        var round = 0
        while true {
            if let stop = stop(before: round, isStopped) {
                record.stop = stop
                break
            }
            runRound(round, isStopped, tell)
            record.seconds = elapsed
            // A round that was cut short is none that is done.
            if isStopped() { continue }
            if round == 0 { lookForHopeless() }
            if settings.rounds == nil { dropPrecise(after: round) }
            tell(.round(round, secondsLeft: secondsLeft(after: round)))
            round += 1
        }
        record.conditions = state.conditions(until: MachineState())
        record.seconds = elapsed
    }

    private func stop(before round: Int, _ isStopped: () -> Bool) -> SpeedRecord.Stop? {
        if isStopped() { return .interrupted }
        if let rounds = settings.rounds, round > rounds { return .rounds }
        if active.isEmpty { return record.trials.contains { $0.value != nil } ? .precision : .nothing }
        // One round is always begun, and ends with the time.
        if round > 1, elapsed + nextRound > settings.timeBudget.seconds { return .time }
        return nil
    }

    private func runRound(_ round: Int, _ isStopped: () -> Bool, _ tell: (Event) -> Void) {
        // A warm-up that takes long shall leave time for a round; what was not warmed up is measured all the same.
        let end = settings.timeBudget.seconds * (round == 0 ? 0.4 : 1)
        for job in active.sorted().shuffled(using: &random) {
            if elapsed > end { return }
            var seconds = 0.0
            for subject in record.subjects.indices.shuffled(using: &random) {
                if isStopped() { return }
                if hopeless.contains(Pair(job: job, subject: subject)) { continue }
                tell(.trying(job: job, subject: subject))
                let attempt = runner.run(
                    SpeedRecord.Trial(job: job, subject: subject, round: round), places[job].job,
                    on: settings.subjects[subject], over: sources[places[job].source], isCounting: round == 0)
                guard let trial = attempt else { return }
                record.trials.append(trial)
                seconds += trial.seconds
                tell(.tried)
            }
            durations[job] = seconds
        }
    }

    private var elapsed: Double { (ContinuousClock.now - start).seconds }
    private var nextRound: Double { active.reduce(0) { $0 + (durations[$1] ?? 0) } }

    private func secondsLeft(after round: Int) -> Double {
        let budget = max(0, settings.timeBudget.seconds - elapsed)
        guard let rounds = settings.rounds else { return active.isEmpty ? 0 : budget }
        return min(budget, nextRound * Double(max(0, rounds - round)))
    }

    private func lookForObstacles() {
        for (index, place) in places.enumerated() {
            guard case .tool(let work) = place.job.work, let program = work.program else { continue }
            if Target(.command(program)).missingProgram != nil {
                record.jobs[index].obstacle = "there is no \(program)"
            }
        }
    }

    /// What failed in the warm-up would fail in each round, and take its time.
    private func lookForHopeless() {
        for trial in record.trials where trial.failure != nil {
            hopeless.insert(Pair(job: trial.job, subject: trial.subject))
        }
        for job in active where record.subjects.indices.allSatisfy({ hopeless.contains(Pair(job: job, subject: $0)) }) {
            active.remove(job)
        }
    }

    /// Leaves the time to those that need it.
    private func dropPrecise(after round: Int) {
        guard round >= RatioEstimate.fewestRounds else { return }
        for job in active {
            let results = record.subjects.indices.map { record.result(job: job, subject: $0) }
            let isPrecise = results.allSatisfy { result in
                guard let ratio = result.ratio else { return true }
                return !result.isDisturbed && ratio.precision <= settings.precision
            }
            if isPrecise { active.remove(job) }
        }
    }

    private func describeMachine() {
        var names = utsname()
        uname(&names)
        record.kernel = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        record.processors = (try? CPUSet.online().count) ?? 1
        record.processor =
            (contents(of: "/proc/cpuinfo") ?? "").split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }.map { $0.trimmingPrefix(" ") }.map(String.init)
            ?? "unknown"
        record.memory = SpeedSession.memory("MemTotal")
        record.began = Double(time(nil))
    }

    private static var availableMemory: Int { memory("MemAvailable") }

    /// In MiB.
    private static func memory(_ key: String) -> Int {
        (contents(of: "/proc/meminfo") ?? "").split(separator: "\n").first { $0.hasPrefix(key + ":") }
            .flatMap { Int($0.filter(\.isNumber)) }.map { $0 >> 10 } ?? 1024
    }
}
