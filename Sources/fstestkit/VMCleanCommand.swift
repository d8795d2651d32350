import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

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
