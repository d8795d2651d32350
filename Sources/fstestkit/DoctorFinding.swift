import ArgumentParser
import CLinux
import Foundation
import LinuxSystem
import LoopbackFS
import SystemPackage

/// One line of the doctor's report.
struct Finding: Codable {
    enum State: String, Codable {
        case ok
        /// A suite or a transport cannot be had without it.
        case missing
        /// Less can be tested or seen without it.
        case limited
    }

    let name: String
    let state: State
    let value: String
    /// What to do about it; empty when all is well.
    let remedy: String

    var line: String {
        let mark = [State.ok: "ok     ", .missing: "missing", .limited: "limited"][state]!
        return "\(mark)  \(name): \(value)" + (remedy.isEmpty ? "" : " -> \(remedy)")
    }
}
