import Foundation
import HostileSourceSuite
import BenchCore

/// Shows a run of the hostile-source suite.
final class HostileSourceReport {
    private let json: Bool
    private let seed: UInt64
    private let planned: Int
    private var said = Date()

    init(json: Bool, seed: UInt64, targets: Int) {
        self.json = json
        self.seed = seed
        planned = targets * HostileSourceSession.resultsPerTarget
        if json { SuiteEvent.planned(count: planned).emit() }
    }

    func show(_ event: HostileSourceSession.Event) {
        switch event {
        case .begin(let name): line("\(name): seed \(seed)")
        case .tick:
            // A long run is no dead one.
            guard json, Date().timeIntervalSince(said) > 30 else { return }
            said = Date()
            SuiteEvent.planned(count: planned).emit()
        case .result(let result):
            if json { SuiteEvent.finished(result).emit() }
            let verdict = result.verdict.isFailure ? result.verdict.rawValue.uppercased() : result.verdict.rawValue
            line("\(result.target): \(verdict) \(result.name): \(result.message)")
            for path in result.evidence { line("    see \(path)") }
        }
    }

    func finish(_ results: [TestResult], output: String) {
        if results.contains(where: { !$0.evidence.isEmpty }) { line("evidence: \(output)") }
    }

    /// A line for people; with `--json` standard output is for the results alone.
    func line(_ text: String) {
        (json ? FileHandle.standardError : .standardOutput).write(Data("\(text)\n".utf8))
    }
}
