import ArgumentParser
import Glibc
import LinuxSystem
import SystemPackage
import BenchCore

/// Source and mount point, checked as far as can be before anything is mounted: absolute and without symbolic links.
struct Place {
    let source: FilePath
    let mountPoint: FilePath

    init(source: FilePath, mountPoint: FilePath) throws {
        self.source = try Place.directory(source, "source")
        self.mountPoint = try Place.directory(mountPoint, "mount point")
        if self.mountPoint.starts(with: self.source) {
            throw fail(
                "the mount point \(self.mountPoint) lies inside the source \(self.source): the filesystem would contain"
                    + " itself; choose one outside of it", .validationFailure)
        }
    }

    /// An existing directory.
    static func directory(_ path: FilePath, _ role: String) throws -> FilePath {
        do {
            switch try MountedPath(path) {
            case .mount(let entry):
                try checkAnswer(of: entry, at: entry.path, "\(role) \(path)")
                return entry.path
            case .inside(let entry, let inner):
                try checkAnswer(of: entry, at: inner, "\(role) \(path)")
                return try checked(inner)
            case .elsewhere(let found): return try checked(found)
            }
        } catch let error as Errno {
            let reason = error == .notDirectory ? "not a directory" : "\(error)"
            throw fail("\(role) \(path): \(reason)", .validationFailure)
        }
    }

    /// Goes up from a path that need not be there to what is, and asks a FUSE mount on the way whether it answers.
    ///
    /// - Throws: as a FUSE mount that does not; what else is wrong with the path is not found here.
    static func checkWay(to path: FilePath, _ role: String) throws {
        var rest = path
        while true {
            do {
                switch try MountedPath(rest) {
                case .mount(let entry): try checkAnswer(of: entry, at: entry.path, "\(role) \(path)", ended: .software)
                case .inside(let entry, let inner):
                    try checkAnswer(of: entry, at: inner, "\(role) \(path)", ended: .software)
                case .elsewhere: break
                }
                return
            } catch is Errno {
                // Not there: to be made, in what is there above it.
                guard rest.removeLastComponent() else { return }
            }
        }
    }

    private static func checked(_ path: FilePath) throws(Errno) -> FilePath {
        guard let resolved = path.withPlatformString({ realpath($0, nil) }) else { throw .last }
        defer { free(resolved) }
        var information = stat()
        _ = try Errno.check { stat(resolved, &information) }
        guard information.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory }
        return FilePath(platformString: resolved)
    }

    /// A FUSE mount that must be gone through is asked by a child first: its daemon may be dead or stopped.
    ///
    /// - Parameter ended: the exit status where the daemon has ended.
    private static func checkAnswer(
        of entry: MountEntry, at path: FilePath, _ what: String, ended: ExitCode = .failure
    ) throws {
        let diagnosis = MountDiagnosis(entry)
        switch diagnosis.isStopped ? .timedOut : IsolatedCall.stat(path).run(within: .seconds(5)) {
        case nil: return
        case .connectionGone?, .connectionAbort?:
            throw fail(
                "\(what): the daemon of the mount on \(entry.path) has ended; 'fstestkit unmount \(entry.path)' takes"
                    + " that mount away", ended)
        case .timedOut?:
            throw fail("\(what): the mount on \(entry.path) is in the way: \(diagnosis.sentence)", .software)
        case let error?: throw error
        }
    }
}
