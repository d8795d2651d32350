import ArgumentParser
import BenchCore
import Foundation

struct CleanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean",
        abstract: "Remove what a killed run of the bench left: mounts, connections, daemons, loop devices, folders.",
        discussion: """
            Removes only what stands in the ledger of a run whose bench is dead. Exit status: 0 when all is gone (or \
            nothing was there), 1 when something is left.
            """)

    @Flag(help: "Only say what there is.")
    var dryRun = false

    func run() throws {
        for run in Cleaner.active() { print("run \(run.run) is at work: left alone") }
        let leftovers = Cleaner.leftovers()
        if leftovers.isEmpty { print("nothing to clean") }
        var clean = true
        for run in leftovers {
            if dryRun {
                print("run \(run.run) left its ledger behind")
                continue
            }
            let report = run.clean()
            print("run \(report.run): \(report.isClean ? "clean" : "not clean")")
            for line in report.removed { print("  \(line)") }
            for line in report.failures { print("  left: \(line)") }
            clean = clean && report.isClean
        }
        if !clean { throw ExitCode.failure }
    }
}
