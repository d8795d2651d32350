import ArgumentParser
import Foundation
import SystemPackage
import TestMatrix
import VirtualMachines

/// Makes the kernel of a source tree, runs the matrix on it, and tells whether it is good or bad.
struct KernelTrial {
    let tree: FilePath
    let options: TrialOptions

    /// git bisect run ends at this, where every other status is taken for an answer (git-bisect(1)).
    static let end = ExitCode(128)

    /// - Throws: ``end``, with what is wrong on standard error, where no commit would have an answer.
    func verdict() throws -> (Bisection.Verdict, why: String) {
        let library = VMOptions.knownKernels(VMOptions.cache())
        let folder: FilePath
        do throws(VirtualMachineError) {
            var fragments: [KernelFragment] = []
            for name in options.fragment { fragments.append(try KernelFragment(named: name)) }
            let build = try library.build(.tree(tree), fragments)
            do throws(VirtualMachineError) {
                try build.make()
            } catch .programFailed(let command, let status, let said) {
                let error = VirtualMachineError.programFailed(command, status: status, said: said)
                return (.skip, "it cannot be made: \(error.sentence)")
            }
            folder = build.folder
        } catch {
            throw fail(error.sentence, Self.end)
        }
        return try run(on: folder)
    }

    private func run(on kernel: FilePath) throws -> (Bisection.Verdict, why: String) {
        let output = try OutputFolder.make(options.output)
        let before = try? lastRun(in: output)?.id
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        // The terminal's Ctrl-C is for both; the matrix ends as it does, and then this does.
        signal(SIGINT, SIG_IGN)
        defer { signal(SIGINT, SIG_DFL) }
        let status: Int32
        do throws(Errno) {
            status = try HostProgram.follow(
                [program] + options.command + ["--kernel", "\(name)=\(kernel)", "--output", output.string])
        } catch {
            throw fail("\(program) cannot be started: \(error)", Self.end)
        }
        switch status {
        case 64: throw fail("the matrix does not take these options", Self.end)
        case 128...: throw fail("the matrix was ended by signal \(status - 128)", Self.end)
        default: break
        }
        guard let run = try lastRun(in: output), run.id != before else {
            return (.skip, "the matrix ended with status \(status), and left no run")
        }
        let report = try words { try RunReport(run, from: try MatrixSession.store(in: output.string, mustExist: true)) }
        return switch Symptom(options.symptom).answer(of: report) {
        case .seen(let finding): (.bad, finding)
        case .absent: (.good, "\(report.counts.passed) tests passed")
        case .unknown(let why): (.skip, why)
        }
    }

    private func lastRun(in output: FilePath) throws -> RunRecord? {
        guard FileManager.default.fileExists(atPath: output.appending("results.sqlite").string) else { return nil }
        return try words { try? MatrixSession.store(in: output.string, mustExist: true).run(named: "last") }
    }

    /// What the kernel is called in the results: its commit, where it has one.
    private var name: String {
        let described = try? HostProgram.run(
            ["git", "-C", tree.string, "rev-parse", "--short=12", "HEAD"], package: "git")
        return described?.trimmingCharacters(in: .newlines) ?? "tree"
    }
}
