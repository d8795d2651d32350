import ArgumentParser
import Foundation
import SystemPackage
import TestMatrix

struct MakeSite: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "site",
        abstract: "Make pages of all runs: weeks, flakes, kernels, speed.",
        discussion: "The pages fetch nothing and need no server: put the folder anywhere.")

    @OptionGroup var store: StoreOptions
    @Option(help: "The folder for the pages (default: site, in the folder with the results).")
    var to: String?

    func run() throws {
        let folder = try OutputFolder.path(to ?? store.output + "/site").string
        let store = try store.open()
        let (page, bytes) = try words { try SiteReport(store).write(to: folder) }
        print("site: \(page), \((bytes + 1023) / 1024) KiB")
    }
}
