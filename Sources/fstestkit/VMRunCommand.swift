import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

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
