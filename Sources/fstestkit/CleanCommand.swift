import ArgumentParser
import BenchCore
import Foundation

struct CleanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean",
        abstract: "Remove what a killed run of the bench left: mounts, connections, daemons, loop devices, folders.",
        discussion: """
            Removes only what stands in the ledger of a run whose bench is dead, and the sockets of daemons that were \
            killed. Exit status: 0 when all is gone (or nothing was there), 1 when something is left.
            """)

    @Flag(help: "Only say what there is.")
    var dryRun = false

    func run() throws {
        if dryRun { return list() }
        var isEmpty = true
        var isClean = true
        Cleaner.cleanLeftovers { report in
            print("run \(report.run): \(report.isClean ? "clean" : "not clean")")
            for line in report.removed { print("  \(line)") }
            for line in report.failures { print("  left: \(line)") }
            isEmpty = false
            isClean = isClean && report.isClean
        }
        for socket in DeadSockets.all() {
            if unlink(socket) == 0 { print("removed \(socket)") }
            isEmpty = false
        }
        for run in Cleaner.active() { print("run \(run.run) is at work: left alone") }
        if isEmpty { print("nothing to clean") }
        if !isClean { throw ExitCode.failure }
    }

    private func list() {
        let leftovers = Cleaner.leftovers()
        let sockets = DeadSockets.all()
        for run in leftovers { print("run \(run.run) left its ledger behind") }
        for run in Cleaner.active() {
            let dead = leftovers.first { $0.started(run) }
            print("run \(run.run) is at work" + (dead.map { " for \($0.run), which is dead" } ?? ": left alone"))
        }
        for socket in sockets { print("\(socket): nobody listens there") }
        if leftovers.isEmpty && sockets.isEmpty { print("nothing to clean") }
    }
}
