/// All that a run of the bench has measured: what its reports are made of, and what is kept of it.
public struct SpeedRecord: Codable, Sendable {
    public struct Subject: Codable, Sendable, Hashable {
        public var name: String
        /// Empty for the plain directory.
        public var command: [String]

        public init(name: String, command: [String]) {
            self.name = name
            self.command = command
        }

        /// The plain directory, which is always there.
        public var isDirectory: Bool { command.isEmpty }
    }

    public struct Job: Codable, Sendable, Hashable {
        /// `randread-4k-direct`.
        public var name: String
        /// The filesystem that it runs over: `tmpfs`.
        public var place: String
        public var clients: Int
        /// Requests that each client keeps under way.
        public var depth: Int
        public var unit: String
        /// For people.
        public var summary: String
        /// Why it was not run; nil if it was.
        public var obstacle: String?
        /// A digest of somebody's file for fio: with another one it is another job.
        public var digest: String?

        public init(name: String, place: String, clients: Int, depth: Int, unit: String, summary: String) {
            self.name = name
            self.place = place
            self.clients = clients
            self.depth = depth
            self.unit = unit
            self.summary = summary
        }

        /// What the store knows it by: ``title``, and a file of somebody's for fio by what is in it, too.
        public var testName: String { title + (digest.map { " #\($0.prefix(6))" } ?? "") }

        /// Without its place: `randread-4k-direct × 8`.
        public var title: String {
            name + (clients > 0 ? " × \(clients)" : "") + (depth > 1 ? ", depth \(depth)" : "")
        }
    }

    /// A job on a subject in a round.
    public struct Trial: Codable, Sendable, Hashable {
        /// By its place in ``SpeedRecord/jobs``.
        public var job: Int
        /// By its place in ``SpeedRecord/subjects``.
        public var subject: Int
        /// From 1; 0 is the warm-up, in which requests are counted.
        public var round: Int
        /// In the job's unit; nil if it failed.
        public var value: Double?
        public var failure: String?
        public var seconds: Double = 0
        /// Reads, writes, files.
        public var operations: Double = 0
        public var latency: Latency?
        public var costs: Costs?
        public var counts: RequestCounts?
        /// Of the machine's processor time, what went to others while it ran.
        public var disturbance: Double = 0

        public init(job: Int, subject: Int, round: Int) {
            self.job = job
            self.subject = subject
            self.round = round
        }
    }

    /// Of an operation as its client sees it, in microseconds.
    public struct Latency: Codable, Sendable, Hashable {
        public var p50: Double
        public var p99: Double
        public var p999: Double

        public init(p50: Double, p99: Double, p999: Double) {
            self.p50 = p50
            self.p99 = p99
            self.p999 = p999
        }
    }

    /// Processor time of a trial in microseconds, and switches of the daemon's threads.
    public struct Costs: Codable, Sendable, Hashable {
        public var daemonUser: Double = 0
        public var daemonSystem: Double = 0
        public var client: Double = 0
        public var kernelThreads: Double = 0
        public var switches: Double = 0

        public init() {}
    }

    /// What the kernel and the daemon have counted in the warm-up; nil is "not counted".
    public struct RequestCounts: Codable, Sendable, Hashable {
        public var requests: Double?
        /// Commands to a ring that the daemon has given.
        public var ringCommands: Double?
        /// By the daemon's threads.
        public var wakeUps: Double?
        /// Interrupts by which one core calls another.
        public var interrupts: Double?
        /// The daemon's, in user mode, by the processor's counter.
        public var instructions: Double?
        /// Requests for each time that a queue's thread was woken by any.
        public var batch: Double?
        /// By the kernel's queues.
        public var queues: [Double]?
        /// By `/dev/fuse`.
        public var device: Double?

        public init() {}
    }

    /// What the machine went through.
    public struct Conditions: Codable, Sendable, Hashable {
        /// Of its processor time, what its host gave to others.
        public var steal: Double = 0
        /// Of the time, how long something waited for a processor, for memory, or for a disk; by the kernel's word.
        public var pressure: [String: Double] = [:]
        public var loadBefore: Double = 0
        public var loadAfter: Double = 0
        /// Times that a core was slowed since it was too hot.
        public var throttled: Int = 0

        public init() {}
    }

    public enum Stop: String, Codable, Sendable {
        case rounds = "all rounds are done"
        case precision = "every interval is as narrow as asked"
        case time = "the time is up"
        case interrupted = "it was interrupted"
        case nothing = "nothing could be measured"
    }

    public var version = 1
    /// Seconds since 1970.
    public var began: Double = 0
    public var seconds: Double = 0
    public var kernel = ""
    public var processor = ""
    public var processors = 0
    /// In MiB.
    public var memory = 0
    public var tool = ""
    public var seed: UInt64
    /// All that decides what is measured, as one line: runs with another one are not of the same kind.
    public var settings: String
    public var subjects: [Subject]
    /// By its place in ``subjects``.
    public var reference: Int
    public var jobs: [Job]
    public var trials: [Trial] = []
    public var conditions = Conditions()
    public var stop = Stop.rounds

    public init(seed: UInt64, settings: String, subjects: [Subject], reference: Int, jobs: [Job]) {
        self.seed = seed
        self.settings = settings
        self.subjects = subjects
        self.reference = reference
        self.jobs = jobs
    }
}
