import ArgumentParser
import BenchCore
import Foundation
import LinuxSystem
import SystemPackage

/// Where a run keeps its results (`--output`), and where it makes what it takes away again (TMPDIR). Either may lie on a mount
/// whose daemon does not answer: that is said, and not waited for.
enum OutputFolder {
    /// - Parameter given: a path, relative to the working directory.
    /// - Returns: the same, absolute.
    static func path(_ given: String) throws -> FilePath {
        if given.isEmpty { throw fail("the output folder has no name", .validationFailure) }
        try checkTemporary()
        let path = URL(fileURLWithPath: given, isDirectory: true, relativeTo: workingDirectory).standardized.path
        try Place.checkWay(to: FilePath(path), "the output folder")
        return FilePath(path)
    }

    /// - Parameter given: a path, or nil for a folder of this process's in TMPDIR.
    static func path(_ given: String?, of suite: String) throws -> FilePath {
        try path(given ?? "\(temporary)/fstestkit-\(suite)-\(ProcessInfo.processInfo.processIdentifier)")
    }

    private static var temporary: String { ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp" }

    private static func checkTemporary() throws { try Place.checkWay(to: FilePath(temporary), "TMPDIR") }

    private static var workingDirectory: URL {
        URL(fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
    }
}
