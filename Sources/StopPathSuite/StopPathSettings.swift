public import BenchCore

/// What the user chose for a run of the stop-path suite.
public struct StopPathSettings: Sendable {
    public var cycles = 3
    public var seed: UInt64 = 1
    public var load = LoadKind.mixed
    /// Entries of each queue; nil leaves it to the daemon.
    public var depth: Int?
    /// For everything that must end: clients, the daemon, the unmount.
    public var timeout = Duration.seconds(15)
    /// The longest time between the start of the load and the act, in milliseconds.
    public var longestPause = 150
    /// Anonymous memory that a daemon may have taken more after a load than before, in bytes: buffers and caches that are
    /// touched for the first time.
    public var allowedMemoryGrowth = 64 << 20
    public var allowHostChanges = false
    public var allowFaults = false
    /// Repeated mounts within a cycle are cut short, and the power is cut on ext4 alone.
    public var isQuick = false
    /// Names of results that are not asked for: of scenarios, or of cycles.
    public var skipped: Set<String> = []

    public init() {}
}
