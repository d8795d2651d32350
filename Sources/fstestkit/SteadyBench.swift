import ArgumentParser
import BenchCore
import Foundation
import TestMatrix
import VirtualMachines

/// `bench --steady`: instructions in place of time, counted in a guest of one CPU.
struct SteadyBench {
    let transports: [String]
    let mountOptions: [String]
    /// Of others: `[NAME=]COMMAND`.
    let daemons: [String]
    let fault: String?
    let kernel: String
    let json: Bool

    private final class Heard {
        var rest: [UInt8] = []
        var results: [TestResult] = []
        var machine: SuiteMachine?
    }

    /// Boots, counts, and ends as the guest does.
    ///
    /// - Returns: what was counted, what ran it, and how it failed if it did.
    func run() throws -> (results: [TestResult], machine: SuiteMachine?, failure: ExitCode?) {
        var guest = ["--kernel", kernel, "--cpus", "1", "--steady"]
        for daemon in daemons {
            guard case .command(let line) = BenchCommand.foreign(daemon).kind else { continue }
            for path in DaemonProgram.places(line) { guest += ["--copy", path] }
        }
        let options = try VMOptions.parse(guest)
        var words = ["fstestkit", "bench-instructions"]
        for name in transports { words += ["--transport", name] }
        for text in mountOptions { words += ["--mount-option", text] }
        for daemon in daemons { words += ["--daemon", daemon] }
        if let fault { words += ["--fault", fault] }
        let heard = Heard()
        let script = "\(guestPreface)\n\(words.map(quoted).joined(separator: " "))"
        let report = try options.run(
            GuestJob(script: script), output: { take($0, heard) }, booted: { heard.machine = SuiteMachine($0) })
        var failure: ExitCode?
        do {
            try report.conclude()
        } catch let status as ExitCode {
            failure = status
        }
        return (heard.results, heard.machine, failure)
    }

    private func take(_ bytes: [UInt8], _ heard: Heard) {
        heard.rest += bytes
        while let end = heard.rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = heard.rest[..<end]
            heard.rest.removeFirst(end + 1)
            guard case .finished(let result)? = try? SuiteEvent(line: line) else { continue }
            heard.results.append(result)
            if json {
                SuiteEvent.finished(result).emit()
            } else {
                let word = result.verdict == .skipped ? "skipped: " : ""
                print("\(result.target)  \(result.name)  \(word)\(result.message)")
            }
            fflush(nil)
        }
    }
}
