import BenchCore
import Foundation
import Glibc
import LinuxSystem
import SystemPackage

/// One cell at work: the suite's process, what it says, and its end. Whatever the suite does, this comes to an end.
final class SuiteRun {
    enum End {
        /// By itself, with every test told.
        case finished
        /// It says that it is not for this machine.
        case unavailable(String)
        /// It died, or had to be ended; what the one result says that stands for it.
        case broken(Verdict, String)
        /// The bench was told to stop.
        case interrupted
    }

    private let bench: Workbench
    private let command: [String]
    /// Where the suite's own output goes; absolute.
    let folder: String
    private let silence: Duration
    private(set) var results = 0
    private(set) var failures = 0
    /// As many as it said would come, the last time it said so.
    private var planned: Int?
    /// Each test once: of two results with one name, one would hide the other.
    private let mayRepeat: Bool
    private var names: Set<String> = []
    private var repeated: String?
    /// Once it was started.
    private(set) var process: ProcessID?
    /// The test that began and has not ended.
    private(set) var current: (area: String, name: String)?

    /// - Parameters:
    ///   - silence: after so long without a word it counts as hung.
    ///   - mayRepeat: whether a test may have several results.
    init(bench: Workbench, command: [String], folder: String, silence: Duration, mayRepeat: Bool) {
        self.bench = bench
        self.command = command
        self.folder = folder
        self.silence = silence
        self.mayRepeat = mayRepeat
    }

    var events: String { folder + "/events.jsonl" }
    var log: String { folder + "/log" }

    /// Starts it and hands on what it says, as it comes.
    ///
    /// - Parameters:
    ///   - isStopped: asked often; true ends the suite.
    ///   - tick: called several times a second.
    func run(isStopped: () -> Bool, tick: () throws -> Void, take: ([SuiteEvent]) throws -> Void) throws -> End {
        guard var file = EventFile(path: events) else { return .broken(.crashed, "\(events) cannot be made") }
        defer { file.close() }
        let child: ChildProcess
        do {
            child = try bench.spawn(command, output: FilePath(events), errors: FilePath(log), isBench: true)
        } catch {
            return .broken(.crashed, "\(command.first ?? "the suite") does not start: \(error.name)")
        }
        process = child.id
        var heard = ContinuousClock.now
        while true {
            let status = child.wait(.milliseconds(50))
            let said = file.read()
            if !said.isEmpty { heard = .now }
            note(said)
            try take(said)
            try tick()
            if let status {
                child.signalGroup(SIGKILL)
                file.end()
                if SuiteRun.mayBeStopped(status) && Deadline(after: .seconds(1)).wait(for: isStopped) {
                    return .interrupted
                }
                return end(status, file.problem)
            }
            let isHung = heard.duration(to: .now) > silence
            if isStopped() || isHung {
                stop(child)
                // What an interrupted suite says at its end is about the interruption.
                if !isHung { return .interrupted }
                let rest = file.read()
                note(rest)
                try take(rest)
                return .broken(.hung, "the suite said nothing for \(Format.duration(silence.seconds))\(afterResults)")
            }
        }
    }

    /// A scheduler whose time is up, and a terminal, tell all processes at once: that the bench was told too may be on its way.
    private static func mayBeStopped(_ status: ExitStatus) -> Bool {
        let signals = [SIGTERM, SIGINT, SIGHUP]
        return switch status {
        case .signalled(let signal, _): signals.contains(signal)
        case .exited(let code): signals.contains(code - 128)
        case .unknown: false
        }
    }

    /// First as a person would, so that it cleans up after itself; then for good.
    private func stop(_ child: ChildProcess) {
        child.signal(SIGTERM)
        if child.wait(.seconds(30)) == nil { child.kill() }
        child.signalGroup(SIGKILL)
    }

    private func note(_ events: [SuiteEvent]) {
        for event in events {
            switch event {
            case .planned(let count): planned = count
            case .started(let area, let name): current = (area, name)
            case .machine: break
            case .finished(let result):
                results += 1
                if result.verdict.isFailure { failures += 1 }
                if !mayRepeat && !names.insert("\(result.area)/\(result.name)").inserted {
                    repeated = repeated ?? result.path
                }
                if current?.area == result.area && current?.name == result.name { current = nil }
            }
        }
    }

    private func end(_ status: ExitStatus, _ problem: String?) -> End {
        switch status {
        case .exited(0), .exited(1), .exited(69):
            // Whatever it ended with: a result that was lost may have been the one that matters.
            if let problem { return .broken(.crashed, problem) }
            if let repeated { return .broken(.crashed, "it told of \(repeated) twice") }
            if case .exited(69) = status, results == 0 {
                return .unavailable(lastWords ?? "the suite says that it cannot run here")
            }
            if results == 0 { return .broken(.crashed, "the suite ended without a result") }
            if let planned, results < planned {
                return .broken(
                    .crashed, "the suite ended after \(results) of the \(planned) results that it had planned")
            }
            if status == .exited(0), failures > 0 {
                return .broken(
                    .crashed, "the suite ended with exit status 0 though \(Format.count(failures, "test")) failed")
            }
            if status == .exited(1), failures == 0 { break }
            return .finished
        default: break
        }
        let words = (lastWords ?? problem).map { ": \($0)" } ?? ""
        return .broken(.crashed, "the suite ended with \(status)\(afterResults)\(words)")
    }

    private var afterResults: String { " after \(Format.count(results, "result"))" }

    /// The last line that it wrote for people.
    private var lastWords: String? {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return nil }
        return text.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) }.map { line in
            let line = line.hasPrefix("fstestkit: ") ? line.dropFirst("fstestkit: ".count) : line
            return String(line.prefix(300))
        }
    }
}
