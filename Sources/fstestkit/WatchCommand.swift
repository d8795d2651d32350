import ArgumentParser
import Foundation
import SystemPackage
import TestMatrix

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show how the shards of a matrix do on other machines.",
        discussion: """
            Reads what the shards write into their folders on shared storage; nothing is written. On a terminal until all are done, \
            else once, as soon as each was heard. A shard that says nothing for a while is named, by this machine's clock alone.
            """)

    @Option(
        name: .customLong("store"), parsing: .upToNextOption,
        help: "Folders of shards (their --output), or a folder that has them in it.")
    var folders: [String]

    func run() throws {
        let folders = try folders.map { try OutputFolder.path($0).string }
        var fleet = Fleet(folders)
        let began = Date()
        fleet.look(at: began)
        let signals = StopSignals()
        if Terminal.isLive {
            let screen = LiveScreen(color: Terminal.hasColor)
            defer { screen.close() }
            while !fleet.isDone && signals.received == nil {
                screen.show(fleet)
                Thread.sleep(forTimeInterval: 1)
                fleet.look(at: Date())
            }
        }
        while !fleet.isKnown(at: Date(), since: began) && signals.received == nil {
            Thread.sleep(forTimeInterval: 0.5)
            fleet.look(at: Date())
        }
        if fleet.isEmpty { throw fail("no shard has begun in \(folders.joined(separator: ", "))", .unavailable) }
        print(FleetFrame(fleet, now: Date()).text, terminator: "")
    }
}
