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
    ///
    /// - Parameter isPassedOver: the waiting get no answer while others get theirs (``Standstill``): that their servers run is for
    ///   the others, and so is a wait for the disk that ends.
    public func isSeen(isPassedOver: Bool = false) -> Bool {
        let workers = isPassedOver ? waited : waited + servers
        // A wait for the disk that is for somebody else ends, and another one begins elsewhere.
        var alwaysAtDisk: Set<Int32>?
        for _ in 0..<ProcessActivity.windows {
            let before = sample(workers)
            let start = ContinuousClock.now
            Deadline.sleep(ProcessActivity.window)
            let after = sample(workers)
            let passed = (ContinuousClock.now - start).seconds * 1e9
            let moved = after.switches > before.switches
            // The wait for a processor is booked when it is over: who waits all the time is but in the state of it. The work may
            // go from hand to hand meanwhile.
            let ran = after.runnable.reduce(0) { $0 + Double($1.value &- (before.runnable[$1.key] ?? $1.value)) }
            let runs = before.isReady && after.isReady || ran > passed / 2
            let longest = (alwaysAtDisk ?? before.atDisk).intersection(before.atDisk).intersection(after.atDisk)
            alwaysAtDisk = longest
            let waitsForDisk = isPassedOver ? !longest.isEmpty : !after.atDisk.isEmpty
            if !(moved || runs || waitsForDisk || isDumpingCore) { return false }
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
        /// Threads of the servers that wait for a disk.
        var atDisk: Set<Int32> = []
    }

    private func sample(_ workers: [Int32]) -> Sample {
        var sample = Sample()
        for process in workers {
            for thread in names(in: "/proc/\(process)/task").compactMap({ Int32($0) }) {
                let folder = "/proc/\(process)/task/\(thread)"
                let times = (contents(of: folder + "/schedstat") ?? "").split(separator: " ").compactMap { UInt64($0) }
                if times.count > 1 { sample.runnable[thread] = times[0] + times[1] }
                if ProcessID.stat(process, thread: thread)?.state == "R" { sample.isReady = true }
                if waited.contains(process) {
                    sample.switches += ProcessID.voluntarySwitches(of: process, thread: thread)
                }
            }
        }
        for server in servers {
            let blocked = ProcessSnapshot(ProcessID(server)).blocked
            sample.atDisk.formUnion(blocked.filter { !$0.stack.contains("fuse_") && !$0.stack.isEmpty }.map(\.id))
        }
        return sample
    }

    /// A server that has crashed keeps its connection until its core is written.
    private var isDumpingCore: Bool {
        servers.contains { (contents(of: "/proc/\($0)/status") ?? "").contains("CoreDumping:\t1") }
    }
}
