public import BenchCore
public import Foundation

/// What became of a cell.
public struct CellRecord: Sendable, Hashable, Identifiable {
    public enum State: String, Sendable, Codable {
        case planned
        case running
        /// The suite came to its end by itself.
        case finished
        /// The suite died or had to be ended; one result says where.
        case broken
        /// Not run here, and `reason` says why.
        case leftOut = "left-out"
        /// Another shard's.
        case elsewhere
    }

    /// The store's own number; 0 before it is recorded.
    public var id: Int64 = 0
    public var cell: Cell
    /// In the plan, from 0.
    public var position: Int
    public var state: State
    public var reason: String
    public var seed: UInt64
    public var command: [String]
    public var started: Date?
    /// Wall time.
    public var seconds: Double
    /// More than one after a resume.
    public var attempts: Int
    /// What the suite said to people; relative to the run's folder.
    public var log: String
    /// What ran it, where that was a guest that booted.
    public var machine: SuiteMachine?

    public init(
        cell: Cell, position: Int, state: State = .planned, reason: String = "", seed: UInt64, command: [String] = [],
        started: Date? = nil, seconds: Double = 0, attempts: Int = 0, log: String = "", machine: SuiteMachine? = nil
    ) {
        self.cell = cell
        self.position = position
        self.state = state
        self.reason = reason
        self.seed = seed
        self.command = command
        self.started = started
        self.seconds = seconds
        self.attempts = attempts
        self.log = log
        self.machine = machine
    }

    /// Whether it has results, or should have.
    public var wasRun: Bool { state == .finished || state == .broken }

    /// Whether a run of this shard (nil: a whole run) still lacks it. What is another shard's is missing in a whole run alone.
    public func isMissing(inShard shard: String?) -> Bool {
        switch state {
        case .planned, .running: true
        case .elsewhere: shard == nil
        case .finished, .broken, .leftOut: false
        }
    }
}
