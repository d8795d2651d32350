import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

extension GuestReport {
    /// Says how it ended, unless it ended well, and ends with the status that stands for it.
    func conclude() throws {
        func say(_ what: String, _ lines: [String], _ status: Int32) -> ExitCode {
            fail(what + "\n" + lines.map { "  \($0)\n" }.joined(), ExitCode(status))
        }
        switch outcome {
        case .ended(let status): if status != 0 { throw ExitCode(status) }
        case .crashed(let report): throw say("the guest's kernel died:", report, 70)
        case .silent(let console): throw say("the guest said nothing for too long; its console:", console, 124)
        case .vanished(let console, let emulator):
            throw say("the guest went away under the command; its console:", console + emulator, 70)
        case .neverBooted(let console, let emulator):
            throw say("the guest did not boot; its console:", console + emulator, 125)
        }
    }
}
