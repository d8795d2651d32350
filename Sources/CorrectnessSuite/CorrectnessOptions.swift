public import BenchCore

/// What a correctness run shall do.
public struct CorrectnessOptions: Sendable {
    /// Names of checks and of the random parts; empty for all.
    public var checks: [String] = []
    /// Those that are left out.
    public var skipped: [String] = []
    /// Of everything random.
    public var seed: UInt64 = 1
    /// Seconds that the whole run shall take on each target; nil for the default mix.
    public var duration: Double?
    /// The same checks, more of them at a time since many do little but wait, and less of what is random: enough for faults that
    /// strike once in 300 times.
    public var isQuick = false
    /// Workers at a time.
    public var jobs = 2
    /// Seconds without a sign after which any task counts as hung, even if its own deadline is longer.
    public var longestTask = 3600
    /// How much time things may take; nil for what a short trial shows.
    public var pace: Pace?
    /// A script of operations that is run instead.
    public var replay: String?

    public init() {}

    /// Names of the parts of a run that are no checks of the list.
    public static let randomParts = [
        "differential-sequences", "concurrent-sequences", "integrity-under-load", "integrity-after-remount",
        "equal-rounds", "no-stalls",
    ]

    /// Names in `checks` and `skipped` that mean nothing.
    public var unknownChecks: [String] {
        (checks + skipped).filter { name in
            CheckList.check(named: name) == nil && !CorrectnessOptions.randomParts.contains(name)
        }
    }

    /// Seconds of the random parts, all of them together, where nothing else is asked for.
    var randomSeconds: Double { isQuick ? 4 : 18 }

    /// Whether a part of the run is asked for.
    func wants(_ name: String) -> Bool {
        (checks.isEmpty || checks.contains(name)) && !skipped.contains(name)
    }
}

/// One line of the list, for `--list` and the documentation.
public struct CheckDescription: Sendable {
    public let name: String
    public let area: String
    public let reference: String

    /// Every check, in the order of a run.
    public static var all: [CheckDescription] {
        CheckList.all.map { CheckDescription(name: $0.name, area: $0.area, reference: $0.reference) }
    }
}
