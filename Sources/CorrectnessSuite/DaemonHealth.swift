import BenchCore
import LinuxSystem

/// Whether the daemon under test still lives. That it does not is one finding of its own, and not one of each check that it takes
/// along.
final class DaemonHealth {
    private let label: String
    private let evidence: Evidence
    private let daemon: () -> MountedDaemon?
    /// Nothing can be told of what runs from here on.
    private(set) var isDead = false

    /// - Parameter daemon: the one that serves at the moment; nil for a plain directory.
    init(_ label: String, evidence: Evidence, daemon: @escaping () -> MountedDaemon?) {
        self.label = label
        self.evidence = evidence
        self.daemon = daemon
    }

    var process: ChildProcess? { daemon()?.process }

    /// Looks at the daemon.
    ///
    /// - Parameters:
    ///   - duration: for an end that has begun: clients are told of it before a parent is.
    ///   - running: what was being checked.
    /// - Returns: the finding, the first time that the daemon is seen to have ended.
    func findDeath(within duration: Duration = .zero, during running: [String]) -> TestResult? {
        guard !isDead, let daemon = daemon(), let process = daemon.process, let status = process.wait(duration) else {
            return nil
        }
        isDead = true
        let last = daemon.logTail
        let message =
            "the daemon (pid \(process.id)) ended by itself with \(status)"
            + (running.isEmpty ? "" : ", while \(running.joined(separator: " and ")) ran")
            + (last.isEmpty ? "" : "; it said last: \(last)")
        return finding("stays-alive", .crashed, message)
    }

    /// A result about the daemon itself.
    func finding(_ name: String, _ verdict: Verdict, _ message: String) -> TestResult {
        isDead = true
        var files = daemon()?.collect(into: evidence.below("daemon")) ?? []
        files.append(evidence.below("daemon").save("core-pattern", ProcessSnapshot.corePattern))
        let line = TestResult.line(message)
        if line != message { files.append(evidence.below("daemon").save("finding", message + "\n")) }
        return TestResult(
            suite: "correctness", target: label, area: "daemon", name: name, verdict: verdict, seconds: 0,
            message: line,
            evidence: files)
    }
}
