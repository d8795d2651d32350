import ArgumentParser
import SpeedSuite

/// A client of the bench; never typed by a person.
struct BenchWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench-worker", shouldDisplay: false)

    @Argument var role: [String]

    func run() throws {
        if let loss = CacheLoss(role) {
            if let error = loss.run() { throw fail("the mount's names are not forgotten: \(error)") }
            return
        }
        guard let worker = ToolWorker(role) else { throw ValidationError("no such worker") }
        worker.run()
    }
}
