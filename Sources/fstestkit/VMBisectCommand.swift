import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

struct VMBisectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bisect",
        abstract: "Find the commit that broke a kernel: make it, boot it, run the matrix, again and again.",
        discussion: """
            The repository's own work tree is left alone: commits are looked at in OUTPUT/tree. Both ends are tried first. What \
            does not build or boot is skipped. All runs are in OUTPUT, git's account is OUTPUT/bisect.log.

            Exit status: 0 when the commit is found, 1 when those that are left cannot be told apart, 64 when an end is not what \
            it was said to be, 69 when what it takes is not to be had here.
            """)

    @Option(help: "A git repository with a kernel in it.")
    var tree = "."
    @Option(help: "A revision that is known to be good.")
    var good: String
    @Option(help: "A revision that is known to be bad.")
    var bad: String
    @OptionGroup var options: TrialOptions

    func run() throws {
        let output = try OutputFolder.make(options.output)
        let repository = FilePath(URL(fileURLWithPath: tree).standardizedFileURL.path)
        let bisection: Bisection
        do throws(VirtualMachineError) {
            bisection = try Bisection(
                repository: repository, workTree: output.appending("tree"), good: good, bad: bad)
        } catch {
            throw fail(error.sentence, .validationFailure)
        }
        defer { bisection.remove() }
        let trial = KernelTrial(tree: bisection.folder, options: options)
        let end: Bisection.End
        do {
            end = try bisection.run(say: notice) { _ in
                let (verdict, why) = try trial.verdict()
                notice("\(verdict.rawValue): \(why)")
                return verdict
            }
        } catch let error as VirtualMachineError {
            if case .wrongEnd = error { throw fail(error.sentence, .validationFailure) }
            throw fail(error.sentence, .unavailable)
        }
        try? bisection.log.write(
            toFile: output.appending("bisect.log").string, atomically: true, encoding: .utf8)
        switch end {
        case .found(let id, let subject): print("\(id) is the first bad commit: \(subject)")
        case .oneOf(let commits):
            print(
                "the first bad commit is one of these, which cannot be told apart:\n" + commits.joined(separator: "\n"))
            throw ExitCode(1)
        }
    }
}
