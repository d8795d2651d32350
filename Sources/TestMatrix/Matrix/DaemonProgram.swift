import BenchCore
import Foundation

/// The program of somebody's daemon, which a guest needs.
package enum DaemonProgram {
    /// Where it is, absolute; empty where it is not found here.
    ///
    /// - Parameters:
    ///   - command: what starts it; nil for none.
    ///   - mountHelper: else the type that mount(8) looks for.
    package static func places(_ command: String?, _ mountHelper: String? = nil) -> [String] {
        guard let name = command.flatMap(Target.programWord(of:)) ?? mountHelper else { return [] }
        if name.contains("/") { return [URL(fileURLWithPath: name).standardizedFileURL.path] }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { folder in "\(folder)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }.map { [$0] } ?? []
    }
}
