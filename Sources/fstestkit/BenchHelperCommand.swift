import ArgumentParser
import BenchCore
import Foundation

/// What the bench has done in processes of its own (``BenchHelper``).
struct BenchHelperCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench-helper", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough)
    var role: [String] = []

    func run() throws {
        guard let helper = BenchHelper(role) else { throw ValidationError("no such role") }
        Foundation.exit(helper.run())
    }
}
