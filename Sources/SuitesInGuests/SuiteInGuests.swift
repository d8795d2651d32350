package import BenchCore
package import VirtualMachines

/// A suite that runs in a guest, and in another one when that dies: what it says comes out as one suite's words. A guest that
/// dies is a verdict on the tests that were running.
package final class SuiteInGuests {
    /// How it ended.
    package enum End: Equatable, Sendable {
        /// By itself, with this exit status; 1 if a guest died on the way.
        case ended(status: Int32)
        /// It could not go on, and why.
        case broken(String)
    }

    /// Who starts it and takes what comes.
    package struct Host {
        /// Boots a guest that runs the suite without the tests that are named, and waits for its end. What the suite says on its
        /// standard output goes to ``SuiteInGuests/hear(_:)``, and the machine to ``SuiteInGuests/say(_:)``.
        package var boot: (_ number: Int, _ done: [String], SuiteInGuests) throws -> GuestReport
        /// Takes a line of events.
        package var pass: ([UInt8]) -> Void
        /// Keeps a text as evidence.
        ///
        /// - Returns: its name, relative to the suite's output folder.
        package var keep: (_ name: String, _ text: String) -> String

        package init(
            boot: @escaping (_ number: Int, _ done: [String], SuiteInGuests) throws -> GuestReport,
            pass: @escaping ([UInt8]) -> Void, keep: @escaping (_ name: String, _ text: String) -> String
        ) {
            (self.boot, self.pass, self.keep) = (boot, pass, keep)
        }
    }

    private let host: Host
    /// It takes `--skip NAME`: after a death it goes on.
    private let canResume: Bool
    /// Of a line that has not ended.
    private var rest: [UInt8] = []
    /// Began and did not end.
    private var running: [(area: String, name: String)] = []
    /// Names of those that ended, in all guests.
    private var done: [String] = []
    private var results = 0
    /// As many as it said would come, those of earlier guests included.
    private var planned: Int?
    /// Those of earlier guests.
    private var resultsBefore = 0
    /// The suite's and the target's names, as its last result had them.
    private var place = (suite: "suite", target: "guest")
    private var deaths = 0

    package init(canResume: Bool, host: Host) {
        (self.canResume, self.host) = (canResume, host)
    }

    /// Runs it to its end.
    package func run() throws -> End {
        var number = 0
        while true {
            number += 1
            resultsBefore = results
            rest = []
            let report = try host.boot(number, done, self)
            switch report.outcome {
            case .ended(let status):
                // A line without its end is the matrix's to judge.
                if !rest.isEmpty { host.pass(rest) }
                return .ended(status: deaths > 0 && [0, 69].contains(status) ? 1 : status)
            case .crashed(let lines):
                let headline = ConsoleText.headline(of: lines) ?? "its console has the report"
                died(.crashed, "the kernel died: \(headline)", lines, number)
            case .silent(let lines):
                died(
                    .hung, "the guest said nothing for too long; its kernel's stacks are in the evidence", lines, number
                )
            case .vanished(let console, let emulator):
                let words = emulator.last.map { ": \($0)" } ?? ""
                died(.crashed, "the guest went away without a report of its kernel\(words)", console + emulator, number)
            case .neverBooted(let console, let emulator):
                let last = ConsoleText.headline(of: console) ?? (console + emulator).last ?? "it said nothing"
                running = [("guest", "boots")]
                died(.crashed, "the kernel did not boot: \(last)", console + emulator, number)
                return number == 1 ? .ended(status: 1) : .broken("guest \(number) did not boot\(notRun)")
            }
            if let planned, results >= planned { return .ended(status: 1) }
            if !canResume { return .broken("the guest died, and this suite cannot go on\(notRun)") }
            if results == resultsBefore { return .broken("guest \(number) died without a test\(notRun)") }
        }
    }

    /// Takes a piece of what the suite says on its standard output.
    package func hear(_ bytes: [UInt8]) {
        rest += bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[...end]
            rest.removeFirst(end + 1)
            // What is no event is passed on as it is: whoever reads it says so.
            if let event = try? SuiteEvent(line: line.dropLast()) { say(event) } else { host.pass(Array(line)) }
        }
    }

    /// Passes an event on, as one of one suite.
    package func say(_ event: SuiteEvent) {
        var event = event
        switch event {
        case .machine: break
        case .planned(let count):
            planned = resultsBefore + count
            event = .planned(count: resultsBefore + count)
        case .started(let area, let name): running.append((area, name))
        case .finished(var result):
            running.removeAll { $0 == (result.area, result.name) }
            note(result.name)
            place = (result.suite, result.target)
            result.evidence = result.evidence.map(Self.relative)
            event = .finished(result)
        }
        host.pass(event.line)
    }

    /// Says a result for each test that was running; one of them is to blame.
    private func died(_ verdict: Verdict, _ what: String, _ lines: [String], _ number: Int) {
        deaths += 1
        let report = host.keep("guest-\(number).report", lines.map { $0 + "\n" }.joined())
        let blamed = running.isEmpty ? [("guest", "stays alive")] : running
        let others = blamed.count > 1 ? ", or of \(Self.count(blamed.count - 1, "test")) beside it" : ""
        for (area, name) in blamed {
            let result = TestResult(
                suite: place.suite, target: place.target, area: area, name: name, verdict: verdict, seconds: 0,
                message: TestResult.line(what + others), evidence: [report, Self.console(number)])
            host.pass(SuiteEvent.finished(result).line)
            if area != "guest" { note(name) }
        }
        running = []
    }

    private func note(_ name: String) {
        results += 1
        if !done.contains(name) { done.append(name) }
    }

    /// Where the console of a guest is kept.
    package static func console(_ number: Int) -> String { "guest-\(number).console" }

    private var notRun: String {
        guard let planned, planned > results else { return "" }
        return "; \(Self.count(planned - results, "test")) of \(planned) did not run"
    }

    private static func relative(_ path: String) -> String {
        let prefix = GuestJob.resultsFolder + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
    }

    private static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
