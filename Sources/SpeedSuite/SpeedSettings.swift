public import BenchCore
public import SystemPackage

/// What a run of the bench shall do.
public struct SpeedSettings: Sendable {
    /// The plain directory is always among them.
    public var subjects: [Target]
    /// The subject that others are compared with, by its name.
    public var reference: String
    public var jobs: [SpeedJob]
    /// Folders in which sources are made; each job is run over each.
    public var directories: [FilePath]
    /// So many; nil goes on until every interval is narrow.
    public var rounds: Int?
    /// Half of an interval, as a part of its ratio, that is narrow enough.
    public var precision = 0.03
    public var timeBudget: Duration = .seconds(15 * 60)
    public var seed: UInt64
    /// Seconds that timed work takes, after a warm-up of ``warmUp``.
    public var seconds = 0.4
    public var warmUp = 0.2
    /// MiB of all clients together, of work in pages and of work in large blocks.
    public var smallData = 64
    public var largeData = 512
    /// Of all clients together.
    public var files = 8000

    public init(
        subjects: [Target], reference: String, jobs: [SpeedJob], directories: [FilePath], seed: UInt64
    ) {
        self.subjects = subjects
        self.reference = reference
        self.jobs = jobs
        self.directories = directories
        self.seed = seed
    }

    /// A first look, for three transports and the plain directory in less than three minutes.
    public mutating func makeQuick() {
        (seconds, warmUp) = (0.25, 0.15)
        (smallData, largeData) = (32, 256)
        files = 1600
        timeBudget = .seconds(150)
    }

    /// Data must fit into memory several times over: it lies in the source's page cache and in the mount's.
    mutating func fit(intoMiB available: Int) {
        largeData = max(16, min(largeData, available / 16))
        smallData = max(8, min(smallData, largeData))
    }

    /// All that decides what is measured.
    var text: String {
        "\(seconds) s after \(warmUp) s, \(smallData) and \(largeData) MiB, \(files) files"
    }
}

/// Why the bench cannot do what was asked of it here.
public struct SpeedUnavailable: Error, Sendable {
    public let reason: String

    init(_ reason: String) { self.reason = reason }
}
