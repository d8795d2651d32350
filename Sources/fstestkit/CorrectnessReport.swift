import BenchCore
import CorrectnessSuite
import Foundation
import Glibc

/// Shows a correctness run: progress on a terminal, plain lines in a pipe, and a summary by area.
final class CorrectnessReport {
    private let json: Bool
    private let seed: UInt64
    /// Progress is rewritten in place there, and nowhere else.
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var target = ""
    private var shown = Date.distantPast
    private var planned = 0

    init(json: Bool, seed: UInt64) {
        self.json = json
        self.seed = seed
    }

    /// Shows what has just happened.
    func show(_ event: CorrectnessSession.Event) {
        switch event {
        case .begin(let name):
            target = name
            line("\(name): seed \(seed)")
        case .progress(let progress):
            if json { say(progress) }
            if let note = progress.note { line("\(target): \(note)") }
            if let result = progress.result { show(result) }
            if isTerminal, progress.result != nil || Date().timeIntervalSince(shown) > 0.5 { bar(progress) }
        }
    }

    /// The end: what failed, a summary by area, or the JSON.
    func finish(_ outcome: CorrectnessSession.Outcome) {
        clear()
        for name in outcome.targets { summary(name, outcome.results.filter { $0.target == name }) }
        line("results and evidence: \(outcome.output)")
        for path in outcome.leftBehind { line("left behind: \(path)") }
        if let lost = outcome.lost { line("stopped: results cannot be kept: \(lost)") }
    }

    private func show(_ result: TestResult) {
        switch result.verdict {
        case .passed:
            if ["random", "integrity", "resources"].contains(result.area), !result.message.isEmpty {
                line("\(target): \(result.name): \(result.message)")
            }
        case .skipped: line("\(target): skipped \(result.name): \(result.message)")
        case .failed, .hung, .crashed:
            line("\(target): \(result.verdict.rawValue.uppercased()) \(result.path): \(result.message)")
            for path in result.evidence { line("    see \(path)") }
        }
    }

    private func summary(_ name: String, _ results: [TestResult]) {
        var areas: [String] = []
        for result in results where !areas.contains(result.area) { areas.append(result.area) }
        line("\n\(name)")
        for area in areas {
            line(
                "  " + area.padding(toLength: 14, withPad: " ", startingAt: 0)
                    + counts(results.filter { $0.area == area }))
        }
        line("  " + "all".padding(toLength: 14, withPad: " ", startingAt: 0) + counts(results))
    }

    private func counts(_ results: [TestResult]) -> String {
        let words = Verdict.allCases.compactMap { verdict in
            let count = results.filter { $0.verdict == verdict }.count
            return count == 0 ? nil : "\(count) \(verdict.rawValue)"
        }
        return words.joined(separator: ", ")
    }

    private func bar(_ progress: CorrectnessRun.Progress) {
        shown = Date()
        let rate = progress.seconds / Double(max(1, progress.finished))
        let left = Int(rate * Double(progress.planned - progress.finished))
        let text =
            "\(target): \(progress.finished) of \(progress.planned), \(Int(progress.seconds)) s, about \(left) s left"
        FileHandle.standardError.write(Data("\r\u{1b}[K\(text)".utf8))
    }

    private func clear() {
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
    }

    /// Tells a program what it tells people; how many results come is said again whenever that changes.
    private func say(_ progress: CorrectnessRun.Progress) {
        if progress.planned != planned {
            planned = progress.planned
            SuiteEvent.planned(count: planned).emit()
        }
        if let started = progress.started { SuiteEvent.started(area: started.area, name: started.name).emit() }
        if let result = progress.result { SuiteEvent.finished(result).emit() }
    }

    /// A line for people; with `--json` standard output is for the results alone.
    private func line(_ text: String) {
        clear()
        (json ? FileHandle.standardError : .standardOutput).write(Data("\(text)\n".utf8))
    }
}
