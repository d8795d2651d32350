import ArgumentParser
import BenchCore
import Foundation
import Glibc
import LinuxSystem
import SystemPackage

/// Where a run keeps its results (`--output`), and where it makes what it takes away again (TMPDIR). Either may lie on a mount
/// whose daemon does not answer: that is said, and not waited for.
enum OutputFolder {
    /// - Parameter given: a path, relative to the working directory.
    /// - Returns: the same, absolute. It need not be there.
    static func path(_ given: String) throws -> FilePath {
        if given.isEmpty { throw fail("the output folder has no name", .validationFailure) }
        let path = URL(fileURLWithPath: given, isDirectory: true, relativeTo: workingDirectory).standardized.path
        try Place.checkWay(to: FilePath(path), "the output folder")
        return FilePath(path)
    }

    /// Makes it, if need be: a run whose results cannot be kept is not begun.
    static func make(_ given: String) throws -> FilePath {
        try checkTemporary()
        let path = try path(given)
        Evidence.makeFolders(path.string)
        do throws(Errno) {
            try write(in: path)
        } catch {
            throw fail("nothing can be written in the output folder \(path): \(error)", .validationFailure)
        }
        return path
    }

    /// - Parameter given: a path, or nil for a folder of this process's in TMPDIR, made for the first file of evidence.
    static func make(_ given: String?, of suite: String) throws -> FilePath {
        if let given { return try make(given) }
        try checkTemporary()
        return try path("\(temporary)/fstestkit-\(suite)-\(ProcessInfo.processInfo.processIdentifier)")
    }

    private static var temporary: String { ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp" }

    /// - Throws: EX_UNAVAILABLE if nothing can be made there.
    private static func checkTemporary() throws {
        let path = FilePath(temporary)
        try Place.checkWay(to: path, "TMPDIR")
        do throws(Errno) {
            try write(in: path)
        } catch {
            throw fail("nothing can be written in TMPDIR, \(path): \(error)", .unavailable)
        }
    }

    /// Writes a file there, as large as a little evidence, and takes it away again.
    private static func write(in folder: FilePath) throws(Errno) {
        let path = folder.appending(".fstestkit-\(getpid())").string
        let descriptor = try Errno.check { open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) }
        defer {
            close(descriptor)
            unlink(path)
        }
        let block = [UInt8](repeating: 0, count: 1 << 16)
        var left = block[...]
        while !left.isEmpty {
            let count = try Errno.check { left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } }
            left = left.dropFirst(count)
        }
    }

    private static var workingDirectory: URL {
        URL(fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
    }
}
