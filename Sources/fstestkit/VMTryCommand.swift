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

    func run() throws {
        let (verdict, why) = try KernelTrial(tree: FilePath(tree), options: options).verdict()
        notice("\(verdict.rawValue): \(why)")
        switch verdict {
        case .good: return
        case .bad: throw ExitCode(1)
        case .skip: throw ExitCode(125)
        }
    }
}
