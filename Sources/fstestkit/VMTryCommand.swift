import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

struct VMTryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Make the kernel of a source tree, run the matrix on it, and say what git bisect run understands.",
        discussion: """
            Another failure than --symptom does not make a kernel bad; one that keeps the symptom from showing makes it one that \
            cannot be told.

            Exit status: 0 good, 1 bad, 125 when it cannot be told (no build, no boot, a feature that is missing), 128 when no \
            commit would have an answer.
            """)

    @Option(help: "The kernel's source tree.")
    var tree = "."
    @OptionGroup var options: TrialOptions

    /// git bisect run takes each status up to 127 for an answer, that of a wrong option and of whatever else fails too.
    static func answer(_ arguments: [String]) {
        do {
            var command = try Fstestkit.parseAsRoot(arguments)
            try command.run()
        } catch {
            if error is ExitCode || Fstestkit.exitCode(for: error) == .success { Fstestkit.exit(withError: error) }
            FileHandle.standardError.write(Data("\(Fstestkit.fullMessage(for: error))\n".utf8))
            Foundation.exit(KernelTrial.end.rawValue)
        }
    }

    func run() throws {
        let (verdict, why): (Bisection.Verdict, String)
        do {
            (verdict, why) = try KernelTrial(tree: FilePath(tree), options: options).verdict()
        } catch is ExitCode {
            // Its words are said.
            throw KernelTrial.end
        }
        notice("\(verdict.rawValue): \(why)")
        switch verdict {
        case .good: return
        case .bad: throw ExitCode(1)
        case .skip: throw ExitCode(125)
        }
    }
}
