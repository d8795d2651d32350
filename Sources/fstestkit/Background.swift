import ArgumentParser
import CLinux
import Foundation
import LinuxSystem
import SystemPackage

/// Runs the same command again as a daemon, and returns once it serves.
///
/// The daemon is a process of its own from the start (posix_spawn(3)): a fork of one that has threads could not be used. It
/// keeps nothing of its caller's open, whose locks and pipes it would hold as long as it serves, but standard error until it is
/// ready.
enum Background {
    /// Seconds until the mount must be usable.
    private static let limit: CInt = 60

    static func start() throws {
        var pipe: [CInt] = [-1, -1]
        guard clinux_pipe2(&pipe, O_CLOEXEC) == 0 else { throw fail("cannot make a pipe") }
        let daemon = try spawn(ready: pipe[1])
        close(pipe[1])
        var waiting = pollfd(fd: pipe[0], events: Int16(POLLIN), revents: 0)
        if (try? Errno.check { poll(&waiting, 1, limit * 1000) }) == 0 {
            kill(daemon, SIGKILL)
            throw fail("the daemon, process \(daemon), was not ready after \(limit) s, and was killed", .software)
        }
        var byte: UInt8 = 0
        if (try? Errno.check { read(pipe[0], &byte, 1) }) == 1 { return }
        // End of file: the daemon has ended, and has said why.
        var status: CInt = 0
        _ = try Errno.check { waitpid(daemon, &status, 0) }
        throw ExitCode(status & 0x7f == 0 ? max(1, status >> 8 & 0xff) : 128 + status & 0x7f)
    }

    private static func spawn(ready: CInt) throws -> pid_t {
        var vector = arguments().map { strdup(SystemText.cString($0)) } + [nil]
        defer { for pointer in vector { free(pointer) } }
        var pid = pid_t()
        do throws(Errno) {
            _ = try Errno.check { clinux_spawn_self(&pid, &vector, ready) }
        } catch {
            throw fail("cannot start the daemon: \(error)")
        }
        return pid
    }

    private static func arguments() -> [String] {
        let name = (CommandLine.arguments[0] as NSString).lastPathComponent
        let given = SystemText.arguments
        let command = name.hasPrefix("mount.") ? MountHelper.arguments(given) : given
        return ["fstestkit", command[0], "--foreground", "--ready-descriptor", "3"] + command.dropFirst()
    }
}
