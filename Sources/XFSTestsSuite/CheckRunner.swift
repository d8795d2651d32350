import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// Runs a list of tests by as few invocations of `check` as it takes: one, and another after each that had to be killed.
///
/// A start of `check` mounts, unmounts and sources thousands of lines; one for each test would take longer than most tests.
/// The gate makes the single invocation as exact: nothing starts before the last result is on disk.
final class CheckRunner {
    enum Problem: Error, Sendable {
        /// `check` ended before any test began; its output.
        case notStarted(String)
    }

    let bench: Workbench
    let plan: XFSTestsPlan
    let journal: XFSTestsJournal
    let configuration: XFSTestsConfiguration
    let gate: CheckGate
    let watch: DaemonWatch
    /// Seconds for each of the watchdog's steps, and for a start or an end of `check` without a test.
    var grace = 30.0
    var idleLimit = 180.0
    /// Asked after each test: whether to go on.
    var goesOn: (XFSTestsRecord) -> Bool = { _ in true }
    /// Told before and after each test.
    var progress: (_ name: String, _ record: XFSTestsRecord?) -> Void = { _, _ in }

    init(
        bench: Workbench, plan: XFSTestsPlan, journal: XFSTestsJournal, configuration: XFSTestsConfiguration,
        gate: CheckGate
    ) {
        self.bench = bench
        self.plan = plan
        self.journal = journal
        self.configuration = configuration
        self.gate = gate
        // This project's daemon is started as /proc/self/exe, which is its name until it takes its own.
        watch = DaemonWatch(
            folder: configuration.mounts, names: plan.server == .own ? ["exe", "fstestkit"] : [], bench: bench)
    }

    /// The same for all tests of one call.
    struct Batch {
        let cycle: Int
        let section: String
        let attempt: Int
        let known: [String: Double]

        func key(_ name: String) -> XFSTestsKey {
            XFSTestsKey(cycle: cycle, section: section, name: name, attempt: attempt)
        }

        var logName: String { "\(section)-c\(cycle)" + (attempt > 0 ? "-r\(attempt)" : "") }
    }

    /// - Returns: false if `goesOn` wanted no more.
    func run(_ tests: [String], _ batch: Batch) throws(Problem) -> Bool {
        var remaining = tests
        var vainStarts = 0
        while !remaining.isEmpty {
            let invocation = CheckInvocation(runner: self, batch: batch, tests: remaining)
            let finished: Set<String>
            do throws(Problem) {
                finished = try invocation.run()
            } catch {
                if !bench.isBeingClosed { throw error }
                finished = []
            }
            // A signal: the thread that cleans up ends the process.
            while bench.isBeingClosed { Deadline.sleep(.seconds(1)) }
            remaining.removeAll { finished.contains($0) }
            if !invocation.wantsMore { return false }
            vainStarts = finished.isEmpty ? vainStarts + 1 : 0
            if vainStarts >= 2 { throw .notStarted(invocation.tail) }
        }
        return true
    }
}
