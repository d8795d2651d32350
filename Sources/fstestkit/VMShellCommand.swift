import ArgumentParser
import Foundation
import BenchCore
import VirtualMachines

struct VMShellCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "Boot a kernel and work there: a terminal, with a mount to try.",
        discussion: """
            /srv is served at /mnt. The end of the shell is the end of the machine, and of all that was done there. Exit status: as \
            of vm run.
            """)

    @OptionGroup var options: VMOptions
    @Option(help: "What serves /mnt: auto, legacy, uring-single, uring-percore, or none.")
    var transport = "auto"

    func validate() throws {
        if transport != "none" && transport != "auto" && TransportName(rawValue: transport) == nil {
            throw ValidationError("there is no transport '\(transport)'")
        }
    }

    func run() throws {
        guard isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 else {
            throw fail("vm shell takes a terminal; vm run runs commands without one")
        }
        var size = winsize()
        _ = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        let kind = ProcessInfo.processInfo.environment["TERM"] ?? "dumb"
        let terminal = GuestJob.Terminal(
            rows: size.ws_row == 0 ? 24 : Int(size.ws_row), columns: size.ws_col == 0 ? 80 : Int(size.ws_col),
            kind: kind.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" } ? kind : "dumb")
        let mount = transport == "none" ? "" : "fstestkit mount --transport \(transport) /srv /mnt"
        let job = GuestJob(script: "\(guestPreface)\n\(mount)\nexec bash -i", terminal: terminal)
        let raw = RawTerminal()
        let report: GuestReport
        do {
            defer { raw.restore() }
            var options = options
            // A person may think for long.
            options.timeout = 86_400 * 365
            report = try options.run(job, input: STDIN_FILENO, ended: { raw.restore() })
        }
        try report.conclude()
    }
}
