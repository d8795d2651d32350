import ArgumentParser
import BenchCore
import Foundation
import RingFuzzSuite
import SuitesInGuests
import SystemPackage
import VirtualMachines

/// One guest: what was played in it, and how it ended.
struct RingFuzzRound {
    /// In the order in which they were played; the last one is the one that did harm, if one did.
    var results: [TestResult] = []
    /// What the kernel said of it: a report on the console, or nothing.
    var report: [String] = []
    /// Where its evidence is.
    let folder: FilePath
    var machine: SuiteMachine?

    /// The one that did harm.
    var failure: TestResult? { results.last { $0.verdict.isFailure } }

    var signature: FindingSignature? {
        guard let failure else { return nil }
        return FindingSignature(headline: ConsoleText.headline(of: report) ?? failure.message, report: report)
    }

    /// The kernel's line that says what happened, as its console has it; nil if it said nothing.
    private var headline: String? {
        if let line = ConsoleText.headline(of: report) { return line }
        guard let message = failure?.message, message.hasPrefix(FuzzOracle.kernelLog.rawValue) else { return nil }
        return String(message.dropFirst(FuzzOracle.kernelLog.rawValue.count + 2).prefix { $0 != ";" && $0 != "…" })
    }

    /// The number of the move that was made before the kernel's line, or at last, as the console has it, from 1.
    func lastMove() -> Int? {
        let console =
            (try? String(contentsOfFile: folder.appending(SuiteInGuests.console(1)).string, encoding: .utf8)) ?? ""
        let end = headline.flatMap { console.firstRange(of: $0)?.lowerBound } ?? console.endIndex
        let moves = console[..<end].matches(of: #/ring-fuzz: move (\d+):/#)
        return moves.last.flatMap { Int($0.1) }
    }
}

/// Starts guests with one kernel, one after the other.
final class RingFuzzGuests {
    private let kernel: String
    private let cpus: Int
    private let output: FilePath
    private var number = 0

    init(kernel: String, cpus: Int, output: FilePath) {
        (self.kernel, self.cpus, self.output) = (kernel, cpus, output)
    }

    /// Plays drawn scripts in a fresh guest.
    ///
    /// - Parameter pass: takes each event as it comes.
    func play(_ words: [String], pass: @escaping (SuiteEvent) -> Void) throws -> RingFuzzRound {
        try run(words, copies: [], pass)
    }

    /// Plays scripts in a fresh guest, up to the first that does harm. The results' names are their places.
    func play(_ scripts: [Script]) throws -> RingFuzzRound {
        let folder = try nextFolder()
        let files = folder.appending("scripts")
        Evidence.makeFolders(files.string)
        var words: [String] = []
        for (index, script) in scripts.enumerated() {
            let name = "\(index).script"
            try script.text.write(toFile: files.appending(name).string, atomically: false, encoding: .utf8)
            words += ["--replay", "/root/scripts/\(name)"]
        }
        return try run(words, copies: [GuestJob.Copy(files, to: "/root/scripts")], in: folder) { _ in }
    }

    private func nextFolder() throws -> FilePath {
        number += 1
        let folder = output.appending("guest-\(number)")
        Evidence.makeFolders(folder.string)
        return folder
    }

    private func run(
        _ words: [String], copies: [GuestJob.Copy], in given: FilePath? = nil, _ pass: @escaping (SuiteEvent) -> Void
    ) throws -> RingFuzzRound {
        let folder = try given ?? nextFolder()
        var options = try VMOptions.parse([
            "--kernel", kernel, "--cpus", "\(cpus)", "--memory", "1024", "--timeout", "120",
        ])
        options.console = folder.appending(SuiteInGuests.console(1)).string
        let command =
            ["fstestkit", "ring-fuzz", "--json", "--allow-host-changes", "--output", GuestJob.resultsFolder] + words
        var job = GuestJob(script: "\(guestPreface)\n\(command.map(quoted).joined(separator: " "))", results: folder)
        job.copies = copies
        var round = RingFuzzRound(folder: folder)
        let suite = SuiteInGuests(
            canResume: false,
            host: .init(
                boot: { [options] _, _, suite in
                    try options.run(
                        job, output: { suite.hear($0) },
                        booted: { round.machine = SuiteMachine($0) })
                },
                pass: { line in
                    guard let event = try? SuiteEvent(line: line.dropLast()) else { return }
                    if case .finished(let result) = event { round.results.append(result) }
                    pass(event)
                },
                keep: { name, text in
                    round.report = text.split(separator: "\n").map(String.init)
                    try? text.write(toFile: folder.appending(name).string, atomically: false, encoding: .utf8)
                    return name
                }))
        switch try suite.run() {
        case .ended(let status):
            if ![0, 1].contains(status) { throw fail("the suite in the guest ended with \(status)", ExitCode(status)) }
        case .broken(let why): if round.failure == nil { throw fail(why, .software) }
        }
        return round
    }
}
