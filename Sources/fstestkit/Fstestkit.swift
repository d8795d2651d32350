import ArgumentParser
import Foundation

/// The command line. Words for people are made here and nowhere below.
@main
struct Fstestkit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fstestkit",
        abstract: "A bench for FUSE transports: that they are right, that they stop, and how fast they are.",
        version: "0.6.0",
        subcommands: [
            MatrixCommand.self, ReportCommand.self, CompareCommand.self, HistoryCommand.self, WatchCommand.self,
            MountCommand.self, UnmountCommand.self, StatsCommand.self, DoctorCommand.self,
            CorrectnessCommand.self, CorrectnessWorkerCommand.self,
            HostileSourceCommand.self, HostileSourceWorkerCommand.self,
            RingFuzzCommand.self, StopPathCommand.self, CleanCommand.self, BenchHelperCommand.self,
            XFSTestsCommand.self, XFSTestsHelperCommand.self, BenchCommand.self, BenchWorkerCommand.self,
            BenchInstructionsCommand.self, VMCommand.self,
        ])

    /// Called as `mount.fuse.fstestkit` (by mount(8)), the arguments are those of a mount helper.
    static func main() {
        let name = CommandLine.arguments.first.map { ($0 as NSString).lastPathComponent } ?? ""
        let arguments = SystemText.arguments
        if arguments.prefix(2) == ["vm", "try"] { return VMTryCommand.answer(arguments) }
        main(name.hasPrefix("mount.") ? MountHelper.arguments(arguments) : arguments)
    }
}

/// Exit statuses beyond success and failure, from `<sysexits.h>`.
extension ExitCode {
    /// Something that was asked for cannot be had on this machine (EX_UNAVAILABLE).
    static let unavailable = ExitCode(69)
    /// The daemon did not end in time (EX_SOFTWARE).
    static let software = ExitCode(70)
}

/// Ends a command with a message on standard error.
func fail(_ message: String, _ status: ExitCode = .failure) -> ExitCode {
    FileHandle.standardError.write(Data("fstestkit: \(message)\n".utf8))
    return status
}
