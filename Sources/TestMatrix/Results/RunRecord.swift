public import Foundation

/// One run of the matrix: where, when and with what it was made.
public struct RunRecord: Sendable, Hashable, Identifiable {
    public enum State: String, Sendable, Codable {
        /// At work, or killed: ``MatrixLock`` tells which.
        case running
        case finished
        /// Ended by a signal; can be resumed.
        case interrupted
    }

    /// The store's own number; 0 before it is recorded.
    public var number: Int64 = 0
    /// `20261124-135500-3f9a`: sorts by time, and is typed by people.
    public var id: String
    public var state: State
    public var started: Date
    public var finished: Date?
    /// This program's version.
    public var tool: String
    /// As `uname -r` says it.
    public var kernel: String
    public var machine: Machine
    /// Variables that change what a suite does.
    public var environment: [String: String]
    public var commandLine: [String]
    /// What was in force: ``MatrixConfiguration`` as JSON.
    public var configuration: String
    /// Every random choice of the run follows from it.
    public var seed: UInt64
    /// `2/3`; nil for a whole run.
    public var shard: String?
    /// The runs that it was merged of; empty for one that was made here.
    public var parts: [String]
    /// Where its evidence lies; relative to the store's folder.
    public var folder: String
    /// Since when it is the one that others are compared with.
    public var baseline: Date?

    public init(
        id: String, state: State = .running, started: Date, finished: Date? = nil, tool: String, kernel: String,
        machine: Machine, environment: [String: String] = [:], commandLine: [String] = [], configuration: String = "{}",
        seed: UInt64, shard: String? = nil, parts: [String] = [], folder: String, baseline: Date? = nil
    ) {
        self.id = id
        self.state = state
        self.started = started
        self.finished = finished
        self.tool = tool
        self.kernel = kernel
        self.machine = machine
        self.environment = environment
        self.commandLine = commandLine
        self.configuration = configuration
        self.seed = seed
        self.shard = shard
        self.parts = parts
        self.folder = folder
        self.baseline = baseline
    }

    /// A new id: the time in UTC, and four digits that keep apart what starts within one second.
    public static func newID(at date: Date, suffix: UInt16 = .random(in: .min ... .max)) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyyMMdd-HHmmss"
        let suffix = String(suffix, radix: 16)
        return formatter.string(from: date) + "-" + String(repeating: "0", count: 4 - suffix.count) + suffix
    }
}
