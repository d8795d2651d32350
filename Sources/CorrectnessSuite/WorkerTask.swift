import BenchCore

/// Where a run works: directories that its workers, and only they, touch.
public struct WorkPlace: Codable, Sendable {
    /// The run's own directory on what is tested.
    public var directory: String
    /// The same directory behind the mount, where it is known.
    public var source: String?
    /// A plain directory on the same filesystem as the source, for comparisons.
    public var plain: String?
    public var traits: TargetTraits

    public init(directory: String, source: String?, plain: String?, traits: TargetTraits) {
        self.directory = directory
        self.source = source
        self.plain = plain
        self.traits = traits
    }
}

/// What the bench asks of a worker: one line of JSON on its standard input.
enum WorkerTask: Codable, Sendable {
    /// Make the run's directories.
    case prepare(WorkPlace)
    /// Run one check of the list.
    case check(name: String, WorkPlace, seed: UInt64)
    /// Compare random sequences on two directories.
    case differential(DifferentialTask)
    /// Compare random concurrent sequences with the outcomes that are allowed.
    case concurrent(ConcurrentTask)
    /// Write and verify self-describing blocks.
    case integrity(IntegrityTask)
    /// Verify, after a remount, what an integrity task left.
    case verify(IntegrityTask)
    /// Remove the run's directories.
    case cleanUp(WorkPlace)

    /// What a result is named after.
    var name: String {
        switch self {
        case .prepare: "prepare"
        case .check(let name, _, _): name
        case .differential(let task): task.name
        case .concurrent: "concurrent-sequences"
        case .integrity: "integrity-under-load"
        case .verify: "integrity-after-remount"
        case .cleanUp: "clean-up"
        }
    }

    /// The part of the suite.
    var area: String {
        switch self {
        case .check(let name, _, _): CheckList.check(named: name)?.area ?? "unknown"
        case .differential, .concurrent: "random"
        case .integrity, .verify: "integrity"
        case .prepare, .cleanUp: "bench"
        }
    }

    /// Seconds without a word from the worker after which it counts as hung.
    var deadline: Int {
        switch self {
        case .check(let name, _, _): CheckList.check(named: name)?.deadline ?? 30
        case .differential, .concurrent, .integrity, .verify, .cleanUp: 120
        case .prepare: 30
        }
    }
}

/// What a worker says: one line of JSON on its standard output.
enum WorkerReport: Codable, Sendable {
    /// It is alive, and so many operations are done.
    case progress(Int)
    /// The task has ended.
    case end(TaskEnd)
}

/// How a task ended.
struct TaskEnd: Codable, Sendable {
    var verdict: Verdict
    var message: String
    var seconds: Double
    /// Operations done, where a task counts them.
    var operations = 0
    /// How often what was done and checked.
    var exercised: [Exercise: Int] = [:]
    /// Text to be saved as evidence: a script that shows the failure, a block's history.
    var evidence: String?
    /// What was found out about the place, by its preparation.
    var survey: PlaceSurvey?
}
