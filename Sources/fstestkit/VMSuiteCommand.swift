import ArgumentParser
import BenchCore
import Foundation
import SuitesInGuests
import SystemPackage
import VirtualMachines

struct VMSuiteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suite",
        abstract: "Run a suite in a guest: its results come out on standard output, its evidence in a folder.",
        discussion: """
            The command is one that says results as lines of JSON, such as fstestkit stop-path --json --output /run/results: \
            what it leaves in /run/results goes to --output. A guest that dies is a result of the test that was running. \
            fstestkit matrix --kernel does all of this by itself.

            Exit status: the suite's; 1 when the guest died or did not boot, 70 when the suite could not go on after that, 69 when \
            what it takes is not to be had here.
            """)

    @OptionGroup var options: VMOptions
    @Option(help: "The folder for the evidence and the guests' consoles.")
    var output: String
    @Flag(help: "The command takes --skip NAME: after a death it goes on in a new guest.")
    var resume = false
    @Option(
        help: """
            A built checkout of xfstests, for fstestkit xfstests: the guest has it, the users and programs that it takes, and this \
            project's xfstests-config.
            """)
    var xfstests: String?
    @Argument(parsing: .postTerminator, help: "The suite's command.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("which suite shall run there? Put its command behind --") }
    }

    func run() throws {
        let folder = try OutputFolder.path(output)
        let checkout = try xfstests.map(GuestXFSTests.init)
        do {
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        } catch {
            throw fail("\(folder) cannot be made: \(error.localizedDescription)")
        }
        let suite = SuiteInGuests(
            canResume: resume,
            host: .init(
                boot: { [self] number, done, suite in
                    var options = options
                    options.console = folder.appending(SuiteInGuests.console(number)).string
                    return try options.run(
                        job(done, folder, checkout), packages: checkout == nil ? [] : GuestXFSTests.packages,
                        output: { suite.hear($0) },
                        booted: { suite.say(.machine(SuiteMachine($0))) })
                },
                pass: { FileHandle.standardOutput.write(Data($0)) },
                keep: { name, text in
                    try? text.write(toFile: folder.appending(name).string, atomically: false, encoding: .utf8)
                    return name
                }))
        switch try suite.run() {
        case .ended(let status): if status != 0 { throw ExitCode(status) }
        case .broken(let why): throw fail(why, ExitCode(70))
        }
    }

    private func job(_ done: [String], _ folder: FilePath, _ checkout: GuestXFSTests?) -> GuestJob {
        let words = command + done.flatMap { ["--skip", $0] }
        // /tmp is memory there.
        let script =
            "\(guestPreface)\nexport TMPDIR=/var/tmp\n\(checkout?.preface ?? "")\n\(words.map(quoted).joined(separator: " "))"
        return GuestJob(script: script, copies: checkout?.copies ?? [], results: folder)
    }
}

extension SuiteMachine {
    init(_ machine: BootedMachine) {
        self.init(
            kernel: machine.release, build: machine.build, buildID: machine.buildID,
            configuration: machine.configuration, commandLine: machine.commandLine, emulator: machine.emulator,
            accelerator: machine.accelerator, processors: machine.cpus, memory: machine.memory)
    }
}
