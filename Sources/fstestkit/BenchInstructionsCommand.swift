import ArgumentParser
import BenchCore
import SpeedSuite
import SystemPackage

/// What `bench --steady` runs in its guest; never typed by a person.
struct BenchInstructionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench-instructions", shouldDisplay: false)

    @OptionGroup var transports: TransportOption
    @OptionGroup var mountOptions: MountOptionsOption
    @Option var daemon: [String] = []
    @Option var fault: String?

    func run() throws {
        let bench: Workbench
        do {
            bench = try Workbench(output: "/run/results")
        } catch {
            throw fail("no temporary directory can be made: \(error)")
        }
        defer { bench.close() }
        let ours = try daemon.isEmpty || transports.names() != nil ? transports.available() : []
        let targets = ours.flatMap { transport in
            MountOptionSet.sets(mountOptions.mountOption, on: transport, seed: 0).map {
                Target(transport, $0, fault: fault)
            }
        }
        do throws(SpeedUnavailable) {
            try InstructionSession(targets + daemon.map(BenchCommand.foreign), bench: bench).run {
                SuiteEvent.finished($0).emit()
            }
        } catch {
            throw fail(error.reason)
        }
    }
}
