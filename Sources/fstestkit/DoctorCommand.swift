import ArgumentParser
import CLinux
import Foundation
import LinuxSystem
import LoopbackFS
import SystemPackage

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show what this machine can do and what it lacks, with the remedy for each lack.",
        discussion: "Exit status: 0 when every transport can be had, 69 when one cannot.")

    @Flag(help: "As JSON.")
    var json = false

    func run() throws {
        let findings = Doctor().examine()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(findings), as: UTF8.self))
        } else {
            for finding in findings { print(finding.line) }
        }
        if findings.contains(where: { $0.state == .missing }) { throw ExitCode.unavailable }
    }
}
