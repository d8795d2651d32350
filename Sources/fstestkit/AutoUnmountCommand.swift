import ArgumentParser
import CLinux
import FUSE
import FUSEServer
import Foundation
import LinuxSystem
import SystemPackage

/// Waits for the death of a daemon and takes its mount away, if the daemon has not. Not for people.
struct AutoUnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "auto-unmount", shouldDisplay: false)

    @Option var mountID: Int
    @Option var connection: UInt32
    @Option var uniqueID: UInt64?
    @Argument var path: FilePath

    func run() throws {
        var byte: UInt8 = 0
        // End of file: the other end goes with the daemon.
        while (try? Errno.check { read(3, &byte, 1) }) == 1 {}
        try? MountIdentity(path: path, mountID: mountID, connection: connection, uniqueID: uniqueID).unmount(.lazy)
    }
}

/// The daemon's side of it: a process of its own, since a daemon that dies by SIGKILL does nothing more.
enum AutoUnmount {
    /// Starts the watcher. The descriptor that it waits for is this process's own, and stays open as long as it lives.
    static func watch(_ mount: MountIdentity) throws(ServeError) {
        var pipe: [CInt] = [-1, -1]
        guard clinux_pipe2(&pipe, O_CLOEXEC) == 0 else { throw .failed("cannot make a pipe: \(Errno.last)") }
        defer { close(pipe[0]) }
        var arguments = [
            "fstestkit", "auto-unmount", "--mount-id", "\(mount.mountID)", "--connection", "\(mount.connection)",
        ]
        if let unique = mount.uniqueID { arguments += ["--unique-id", "\(unique)"] }
        let path = mount.path.withPlatformString { strdup($0) }
        var vector = (arguments + ["--"]).map { strdup($0) } + [path, nil]
        defer { for pointer in vector { free(pointer) } }
        var pid = pid_t()
        do throws(Errno) {
            _ = try Errno.check { clinux_spawn_self(&pid, &vector, pipe[0]) }
        } catch {
            throw .failed("cannot start what auto_unmount needs: \(error)")
        }
    }
}
