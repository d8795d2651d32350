import Glibc
import LinuxSystem
import SystemPackage

/// How many times longer everything takes here than on a fast machine with nothing else to do: what the bench waits is stretched
/// by it.
///
/// A deadline tells what hangs from what does not. That is only so if it is long beside what the machine needs, and that differs by
/// a factor of fifty between a server and an emulated guest on a laptop that compiles.
public struct Pace: Sendable, Hashable {
    /// At least 1.
    public let factor: Double

    public init(factor: Double) {
        self.factor = min(max(factor, 1), 1000)
    }

    /// What a process is told by whoever started it, so that all of a run wait equally long.
    static let variable = "FSTESTKIT_SLOW"

    /// As this process was told; 1 if it was not.
    public static let inherited = told ?? Pace(factor: 1)

    /// What this process was told.
    static var told: Pace? {
        getenv(variable).flatMap { Double(String(cString: $0)) }.map { Pace(factor: $0) }
    }

    /// What one child takes on a machine of some years ago.
    private static let nominal = Duration.milliseconds(4)
    private static let trials = 9

    /// As a short trial shows: how long children take to start, make a call, and end, since that is what a bench does all the time.
    static func measured() -> Pace {
        let times = (0..<trials).map { _ in
            let start = ContinuousClock.now
            IsolatedCall.stat("/").run()
            return ContinuousClock.now - start
        }.sorted()
        // The slower half: what comes now and then comes often enough.
        return Pace(factor: times[trials * 3 / 4] / nominal)
    }

    /// A time that the machine is given for what takes `duration` at the most on a fast one.
    public func callAsFunction(_ duration: Duration) -> Duration { duration * factor }
}
