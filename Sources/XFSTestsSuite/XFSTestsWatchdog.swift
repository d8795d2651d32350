import BenchCore
import LinuxSystem
import SystemPackage

/// Ends a test that takes too long, in steps, each of which is given some time: abort its connections; kill its processes;
/// kill `check`.
struct XFSTestsWatchdog {
    enum Step: Int, Comparable {
        case watching
        case aborted
        case killed
        case given

        static func < (a: Step, b: Step) -> Bool { a.rawValue < b.rawValue }
    }

    private(set) var step = Step.watching
    private var deadline: Deadline
    let limit: Double
    /// Seconds for each step after the first.
    let grace: Double

    init(limit: Double, grace: Double) {
        self.limit = limit
        self.grace = grace
        deadline = Deadline(after: .milliseconds(Int64(limit * 1000)))
    }

    /// The next step, if it is due.
    mutating func due() -> Step? {
        guard step < .given, deadline.hasPassed, let next = Step(rawValue: step.rawValue + 1) else { return nil }
        step = next
        deadline = Deadline(after: .milliseconds(Int64(grace * 1000)))
        return next
    }
}
