import ArgumentParser
import BenchCore
import LinuxSystem

/// How much time things may take.
struct PaceOption: ParsableArguments {
    @Option(
        help: "All deadlines are so many times longer than on a fast machine (default: as a short trial shows).",
        transform: { try Numbers.factor($0) })
    var slow: Double?

    /// Nil leaves it to the trial.
    var pace: Pace? { slow.map { Pace(factor: $0) } }
}
