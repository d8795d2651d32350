import ArgumentParser
import FUSEServer
import LinuxSystem
import SystemPackage
import BenchCore

/// FUSE mounts by the paths that people name them by. Nothing here touches them: their daemons may be stopped.
enum MountedAt {
    /// The FUSE mount whose root this path names; nil if it names something else.
    static func find(_ path: FilePath) throws -> MountEntry? {
        guard case .mount(let entry)? = try? MountedPath(path) else { return nil }
        return entry
    }
}
