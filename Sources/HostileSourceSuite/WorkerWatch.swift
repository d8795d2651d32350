import Glibc
import BenchCore

/// One worker, as the bench sees it: its process, and how long it has been in its present operation.
final class WorkerWatch {
    let name: String
    let process: ChildProcess
    let activity: Activity
    let output: String
    /// Names of its operations, by number.
    private let operations: [String]
    private var seen: UInt64 = 0
    /// How long it has been in the present operation, as far as the machine let anybody work.
    private(set) var stuck = Duration.zero

    init(_ name: String, _ process: ChildProcess, _ activity: Activity, output: String, operations: [String]) {
        self.name = name
        self.process = process
        self.activity = activity
        self.output = output
        self.operations = operations
    }

    /// Time has passed.
    func pass(_ time: Duration) {
        let done = activity.done
        if done != seen || activity.operation == nil { stuck = .zero } else { stuck += time }
        seen = done
    }

    /// What it is in, for people.
    var current: String {
        activity.operation.map { operations.indices.contains($0) ? operations[$0] : "\($0)" } ?? "nothing"
    }

    /// Time as a watcher counts it: where the machine kept the bench itself from running, it kept the others, too.
    struct Clock {
        private var last = ContinuousClock.now

        mutating func tick() -> Duration {
            let now = ContinuousClock.now
            defer { last = now }
            return min(now - last, .milliseconds(200))
        }
    }

    /// How many want each of this machine's processors.
    static var load: Double {
        var load = 0.0
        guard getloadavg(&load, 1) == 1 else { return 1 }
        return max(1, load / Double(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    }
}
