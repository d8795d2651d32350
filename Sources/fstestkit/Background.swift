import ArgumentParser
import CLinux
import Foundation
import LinuxSystem
import SystemPackage

/// Runs the same command again as a daemon, and returns once it serves.
///
/// The daemon is a process of its own from the start (posix_spawn(3)): a fork of one that has threads could not be used.
enum Background {
    static func start() throws {
        var pipe: [CInt] = [-1, -1]
        guard clinux_pipe2(&pipe, O_CLOEXEC) == 0 else { throw fail("cannot make a pipe") }
        let daemon = try spawn(ready: pipe[1])
        close(pipe[1])
        var byte: UInt8 = 0
        if (try? Errno.check { read(pipe[0], &byte, 1) }) == 1 { return }
        // End of file: the daemon has ended, and has said why.
        var status: CInt = 0
        _ = try Errno.check { waitpid(daemon, &status, 0) }
        throw ExitCode(status & 0x7f == 0 ? max(1, status >> 8 & 0xff) : 128 + status & 0x7f)
    }

    private static func spawn(ready: CInt) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The copy survives exec, the original does not.
        posix_spawn_file_actions_adddup2(&actions, ready, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, 0x80)  // POSIX_SPAWN_SETSID
        let arguments = arguments()
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        var pid = pid_t()
        let error = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, &vector, environ)
        guard error == 0 else { throw fail("cannot start the daemon: \(Errno(rawValue: error))") }
        return pid
    }

    private static func arguments() -> [String] {
        let name = (CommandLine.arguments[0] as NSString).lastPathComponent
        let given = Array(CommandLine.arguments.dropFirst())
        let command = name.hasPrefix("mount.") ? MountHelper.arguments(given) : given
        return ["fstestkit", command[0], "--foreground", "--ready-descriptor", "3"] + command.dropFirst()
    }
}
