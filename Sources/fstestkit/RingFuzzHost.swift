import ArgumentParser
import BenchCore
import Foundation
import LinuxSystem
import RingFuzzSuite
import SystemPackage
import VirtualMachines

/// `ring-fuzz --kernel`: guests one after the other, what breaks them, and the least that does.
final class RingFuzzHost {
    /// What shall be played.
    enum Plan {
        /// By number or by time.
        case drawn(seed: UInt64, first: Int, cases: Int?, seconds: Double?)
        case replayed([RingFuzzSession.Case])
    }

    private let kernel: String
    private let output: FilePath
    private let json: Bool
    private let isShrinking: Bool
    private let guests: RingFuzzGuests
    private var findings: [RingFuzzFinding] = []
    private var coverage = Coverage()
    private var played = 0
    private var release: String?
    private let start = ContinuousClock.now
    /// How often the least script is played again.
    private static let repeats = 3

    init(kernel: String, cpus: Int, output: FilePath, json: Bool, isShrinking: Bool) {
        (self.kernel, self.output, self.json, self.isShrinking) = (kernel, output, json, isShrinking)
        guests = RingFuzzGuests(kernel: kernel, cpus: cpus, output: output)
    }

    func run(_ plan: Plan, avoid: [String]) throws {
        switch plan {
        case .drawn(let seed, let first, let cases, let seconds):
            say("seed \(seed), kernel \(kernel)")
            try playDrawn(seed, first, cases, seconds.map(Deadline.init(secondsFromNow:)), avoid)
        case .replayed(let cases): try playReplayed(cases)
        }
        let report = output.appending("report.md")
        try text.write(toFile: report.string, atomically: false, encoding: .utf8)
        say("\(played) scripts, \(findings.count) findings: \(report)")
        try RunStatus(hasFailures: !findings.isEmpty).end()
    }

    private func playDrawn(
        _ seed: UInt64, _ first: Int, _ cases: Int?, _ deadline: Deadline?, _ avoid: [String]
    ) throws {
        var next = RingFuzzCases(seed: seed, first: first, count: nil, deadline: nil, avoided: [], skipped: [])
        var known = avoid
        var left = cases
        while left ?? 1 > 0, deadline?.hasPassed != true {
            var words = ["--seed", "\(seed)", "--first", "\(next.number)"]
            if let left { words += ["--cases", "\(left)"] }
            if let deadline { words += ["--duration", "\(max(1, deadline.remaining / .seconds(1)))"] }
            for text in known { words += ["--avoid", text] }
            let round = try guests.play(words, pass: pass)
            note(round)
            guard let failure = round.failure else { return }
            guard let script = RingFuzzCases.script(named: failure.name) else {
                throw fail("a guest died, and no script did it: \(failure.message)", .software)
            }
            left = left.map { $0 - round.results.count }
            next.pass(script)
            let finding = try found(failure, script, round)
            let peculiar = finding.least.peculiarities.sorted()
            if isShrinking && !peculiar.isEmpty { known.append(peculiar.joined(separator: ", ")) }
        }
    }

    private func playReplayed(_ cases: [RingFuzzSession.Case]) throws {
        var rest = cases[...]
        while !rest.isEmpty {
            let round = try guests.play(rest.map(\.script))
            note(round)
            for (result, current) in zip(round.results, rest) {
                var result = result
                result.name = current.name
                pass(.finished(result))
                if result.verdict.isFailure { _ = try found(result, current.script, round) }
            }
            rest = rest.dropFirst(max(1, round.results.count))
        }
    }

    private func note(_ round: RingFuzzRound) {
        played += round.results.count
        release = release ?? round.machine?.kernel
        let file = round.folder.appending("evidence").appending(Coverage.file)
        if let text = try? String(contentsOfFile: file.string, encoding: .utf8) {
            coverage.add(text.split(separator: "\n").map(String.init))
        }
    }

    private func pass(_ event: SuiteEvent) {
        if json { event.emit() }
        if case .finished(let result) = event, result.verdict.isFailure { say(RingFuzzCommand.line(result)) }
    }

    /// Keeps what was found; and makes it less, if that is wanted.
    private func found(_ failure: TestResult, _ script: Script, _ round: RingFuzzRound) throws -> RingFuzzFinding {
        let signature = round.signature ?? FindingSignature(headline: failure.message)
        say("\(elapsed): \(signature)")
        var finding = RingFuzzFinding(signature: signature, script: script, report: report(round, failure))
        if isShrinking { try makeLess(&finding, round.lastMove()) }
        if let index = findings.firstIndex(where: { $0.signature == signature }) {
            // The same in another way: that is passed over from now on, too.
            findings[index].count += 1
            return finding
        }
        if isShrinking { try repeatLeast(&finding) }
        findings.append(finding)
        let file = output.appending("finding-\(findings.count).script")
        try "# \(signature)\n\(finding.least.text)".write(toFile: file.string, atomically: false, encoding: .utf8)
        return finding
    }

    private func makeLess(_ finding: inout RingFuzzFinding, _ lastMove: Int?) throws {
        var whole = finding.script
        // What was to come after the kernel's death has no part in it.
        if let lastMove, (1..<whole.moves.count).contains(lastMove) { whole.moves.removeSubrange(lastMove...) }
        let signature = finding.signature
        let least = try ScriptShrinker { [self] candidates in
            say("\(elapsed): \(candidates.count) shorter scripts to try")
            return try firstShowing(signature, candidates)
        }.shrink(whole)
        finding.least = least
        say("\(elapsed): \(least.moves.count) moves")
    }

    private func repeatLeast(_ finding: inout RingFuzzFinding) throws {
        var (shown, left) = (0, RingFuzzHost.repeats)
        while left > 0 {
            let round = try guests.play(Array(repeating: finding.least, count: left))
            left -= max(1, round.results.count)
            if round.signature == finding.signature { shown += 1 }
        }
        finding.rate = (shown, RingFuzzHost.repeats)
        say("\(elapsed): shown \(shown) times of \(RingFuzzHost.repeats)")
    }

    /// What the kernel said: on its console if it died, else what the guest has kept.
    private func report(_ round: RingFuzzRound, _ failure: TestResult) -> [String] {
        if !round.report.isEmpty { return round.report }
        return failure.evidence.flatMap { path in
            let file = path.replacing(GuestJob.resultsFolder + "/", with: "")
            let text = (try? String(contentsOfFile: round.folder.appending(file).string, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map(String.init)
        }
    }

    private func firstShowing(_ signature: FindingSignature, _ candidates: [Script]) throws -> Int? {
        var position = 0
        while position < candidates.count {
            let round = try guests.play(Array(candidates[position...]))
            note(round)
            guard round.failure != nil else { return nil }
            position += max(1, round.results.count)
            if round.signature == signature { return position - 1 }
        }
        return nil
    }

    private var elapsed: String { "\(Int(start.duration(to: .now) / .seconds(1))) s" }

    private func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    /// The report.
    private var text: String {
        var text = "# ring-fuzz on \(release ?? kernel)\n\n\(played) scripts, \(findings.count) findings, \(elapsed).\n"
        for (index, finding) in findings.enumerated() {
            text += "\n## \(index + 1). \(finding.signature)\n\n```\n\(finding.least.text)```\n\n"
            if let rate = finding.rate { text += "Shown \(rate.shown) times of \(rate.of). " }
            if finding.count > 1 { text += "Met \(finding.count) times. " }
            text += "Again: `fstestkit ring-fuzz --kernel \(kernel) --replay finding-\(index + 1).script`\n"
            if !finding.report.isEmpty { text += "\n```\n" + finding.report.map { $0 + "\n" }.joined() + "```\n" }
        }
        return text + "\n## Where the scripts have been\n\n" + coverage.table
    }
}

/// A way to break a kernel.
struct RingFuzzFinding {
    let signature: FindingSignature
    /// As it was drawn.
    let script: Script
    /// The least that shows it; the same as it was drawn if nobody has tried.
    var least: Script
    /// The kernel's own text.
    let report: [String]
    var rate: (shown: Int, of: Int)?
    /// How often it was met.
    var count = 1

    init(signature: FindingSignature, script: Script, report: [String]) {
        (self.signature, self.script, least, self.report) = (signature, script, script, report)
    }
}
