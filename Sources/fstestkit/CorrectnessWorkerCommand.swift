import ArgumentParser
import Foundation
import LinuxSystem
import SystemPackage
import BenchCore
import CorrectnessSuite

/// What the bench starts to have a mount touched; never typed by a person.
struct CorrectnessWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "correctness-worker", shouldDisplay: false)

    func run() throws {
        try Worker.run()
    }
}
