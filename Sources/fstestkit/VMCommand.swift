import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

struct VMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm",
        abstract: "Other kernels, in virtual machines.",
        discussion: """
            The machine's own kernel, mounts and files are left alone: a guest has no network, and its disk is thrown away. \
            docs/kernels.md tells what it takes.
            """,
        subcommands: [
            VMRunCommand.self, VMSuiteCommand.self, VMShellCommand.self, VMKernelsCommand.self, VMCleanCommand.self,
        ])
}

struct VMRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Boot a kernel, run a command there as root, and end with its exit status.",
        discussion: """
            One word is a line for the guest's shell, several are the command and its arguments as they are. This program is \
            there as fstestkit.

            Exit status: the command's; 70 when the kernel died (its report goes to standard error), 124 when the guest hung, \
            125 when it did not boot, 69 when what it takes is not to be had here.
            """)

    @OptionGroup var options: VMOptions
    @Argument(parsing: .postTerminator, help: "The command.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("which command shall run there? Put it behind --") }
    }

    func run() throws {
        let line = command.count == 1 ? command[0] : command.map(quoted).joined(separator: " ")
        let report = try options.run(GuestJob(script: "\(guestPreface)\n\(line)"))
        try report.conclude()
    }

}

/// One word of a shell's line.
func quoted(_ text: String) -> String { "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'" }

extension GuestReport {
    /// Says how it ended, unless it ended well, and ends with the status that stands for it.
    func conclude() throws {
        func say(_ what: String, _ lines: [String], _ status: Int32) -> ExitCode {
            fail(what + "\n" + lines.map { "  \($0)\n" }.joined(), ExitCode(status))
        }
        switch outcome {
        case .ended(let status): if status != 0 { throw ExitCode(status) }
        case .crashed(let report): throw say("the guest's kernel died:", report, 70)
        case .silent(let console): throw say("the guest said nothing for too long; its console:", console, 124)
        case .vanished(let console, let emulator):
            throw say("the guest went away under the command; its console:", console + emulator, 70)
        case .neverBooted(let console, let emulator):
            throw say("the guest did not boot; its console:", console + emulator, 125)
        }
    }
}

struct VMKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "List the kernels that are here, and those that could be had.",
        discussion: "Each can be named as deb:VERSION, shortened as one likes: deb:6.18 is the newest of 6.18.")

    @Flag(help: "Only those that are here: no mirror is asked.")
    var cached = false

    func run() throws {
        let library = VMOptions.knownKernels(VMOptions.cache())
        let here = library.cached
        for release in here { print("deb:\(release)  here") }
        if cached { return }
        let available = try vmWords { try library.available() }
        for kernel in available.reversed() where !here.contains(kernel.release) { print("deb:\(kernel.release)") }
    }
}

struct VMCleanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean",
        abstract: "Remove the kernels, the guests' root and all else that was made for guests.")

    func run() throws {
        let cache = VMOptions.cache()
        let bytes = try vmWords { try cache.clean() }
        print(bytes == 0 ? "nothing to clean" : "\(cache.folder): \(bytes >> 20) MiB removed")
    }
}
