import Glibc
import LinuxSystem

/// Whether processes get on, however slowly: what is slow is waited for, what hangs is not.
public struct ProcessActivity: Sendable {
    /// Those that are waited for: clients, workers.
    let waited: [Int32]
    /// Those that they wait for.
    let servers: [Int32]

    public init(of waited: [Int32], servedBy servers: [Int32]) {
        self.waited = waited
        self.servers = servers
    }

    /// So many times its deadline is what somebody gets who gets on: who turns in circles would do so for ever.
    public static let patience = 10

    private static let windows = 3
    private static let window = Duration.milliseconds(300)

    /// Looks for about a second.
    ///
    /// Whoever waits for an answer that never comes does not run, and nobody works at it. In each of several windows, either one
    /// of the waiting has come back from a wait, or threads wanted a processor most of the time (and had it, or waited for it), or
    /// one of the servers waited for a disk or had its core written.
    public func isSeen() -> Bool {
        for _ in 0..<ProcessActivity.windows {
            let before = sample()
            let start = ContinuousClock.now
            Deadline.sleep(ProcessActivity.window)
            let after = sample()
            let passed = (ContinuousClock.now - start).seconds * 1e9
            let moved = after.switches > before.switches
            // The wait for a processor is booked when it is over: who waits all the time is but in the state of it. The work may
            // go from hand to hand meanwhile.
            let ran = after.runnable.reduce(0) { $0 + Double($1.value &- (before.runnable[$1.key] ?? $1.value)) }
            let runs = before.isReady && after.isReady || ran > passed / 2
            if !(moved || runs || after.isAtDisk || isDumpingCore) { return false }
        }
        return true
    }

    private struct Sample {
        /// How often the waiting gave up the processor by themselves.
        var switches: UInt64 = 0
        /// Nanoseconds that each thread has run or waited to run.
        var runnable: [Int32: UInt64] = [:]
        /// Some thread runs or wants to.
        var isReady = false
        var isAtDisk = false
    }

    private func sample() -> Sample {
        var sample = Sample()
        for process in waited + servers {
            for thread in names(in: "/proc/\(process)/task").compactMap({ Int32($0) }) {
                let folder = "/proc/\(process)/task/\(thread)"
                let times = (contents(of: folder + "/schedstat") ?? "").split(separator: " ").compactMap { UInt64($0) }
                if times.count > 1 { sample.runnable[thread] = times[0] + times[1] }
                if ProcessID.stat(process, thread: thread)?.state == "R" { sample.isReady = true }
                if waited.contains(process) { sample.switches += ProcessActivity.voluntarySwitches(folder) }
            }
        }
        sample.isAtDisk = servers.contains { pid in
            ProcessSnapshot(ProcessID(pid)).blocked.contains { !$0.stack.contains("fuse_") && !$0.stack.isEmpty }
        }
        return sample
    }

    /// A server that has crashed keeps its connection until its core is written.
    private var isDumpingCore: Bool {
        servers.contains { (contents(of: "/proc/\($0)/status") ?? "").contains("CoreDumping:\t1") }
    }

    private static func voluntarySwitches(_ folder: String) -> UInt64 {
        (contents(of: folder + "/status") ?? "").split(separator: "\n")
            .first { $0.hasPrefix("voluntary_ctxt_switches:") }.flatMap { UInt64($0.filter(\.isNumber)) } ?? 0
    }
}
