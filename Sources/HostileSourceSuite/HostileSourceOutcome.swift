import BenchCore
import LinuxSystem

/// What one round came to, or all rounds of a target together.
struct HostileSourceOutcome {
    var violations: [Violation] = []
    /// Oracles that could not be asked, and why.
    var unasked: [HostileSourceOracle: String] = [:]
    /// Evidence.
    var files: [String] = []
    /// What each worker has done, the adversary first.
    var done: [UInt64] = []
    /// For how long they worked.
    var worked = Duration.zero
    /// It ended before its time: the daemon died, or something hung.
    var isBroken = false

    var hangs: Bool { violations.contains { $0.oracle == .nothingHangs } }

    /// Adds another round, which was asked what this one could not be asked.
    mutating func merge(_ other: HostileSourceOutcome) {
        violations += other.violations
        unasked = unasked.filter { other.unasked[$0.key] != nil }
        files += other.files
        done = zip(done, other.done).map { $0 + $1 }
        worked += other.worked
        isBroken = other.isBroken
    }

    func results(of target: Target, seconds: Double, into evidence: Evidence) -> [TestResult] {
        var files = files
        if !violations.isEmpty {
            let lines = violations.map { "\($0.oracle.rawValue): \($0.what)\n" }.joined()
            files.append(evidence.save("violations", lines))
        }
        let operations = done.dropFirst().reduce(0, +)
        let volume = "\(operations) operations against \(done.first ?? 0) changes of the source"
        let isIdle = done.contains { $0 < 50 }
        return HostileSourceOracle.allCases.map { oracle in
            var result = TestResult(
                suite: "hostile-source", target: target.label, area: oracle.area, name: oracle.rawValue,
                verdict: .passed, seconds: seconds / Double(HostileSourceOracle.allCases.count), message: volume)
            let seen = violations.filter { $0.oracle == oracle }
            if let first = seen.first {
                result.verdict = oracle == .nothingHangs ? .hung : oracle == .daemonLives ? .crashed : .failed
                result.message = first.what + (seen.count > 1 ? " (and \(seen.count - 1) more)" : "")
                result.evidence = files
            } else if let reason = unasked[oracle] ?? (isIdle ? "too little has happened: \(volume)" : nil) {
                result.verdict = .skipped
                result.message = reason
            }
            return result
        }
    }
}
