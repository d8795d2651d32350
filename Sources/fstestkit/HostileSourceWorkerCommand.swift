import ArgumentParser
import Foundation
import HostileSourceSuite
import LinuxSystem
import SystemPackage
import BenchCore

/// A client or the adversary of a run; never typed by a person.
struct HostileSourceWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "hostile-source-worker", shouldDisplay: false)

    @Argument var worker: String

    func run() throws {
        guard let worker = HostileSourceWorker(worker) else { throw ValidationError("no such worker") }
        try worker.run()
    }
}
