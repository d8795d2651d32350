import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Whom a child process runs as. The ids need no entry in the user database.
struct Credentials: Sendable {
    var user: uid_t
    var group: gid_t
    var supplementary: [gid_t] = []
    /// The one capability that it has (capabilities(7)), or none.
    var capability: CInt?

    /// Two users without anything in common, and one who shares `team` with the first.
    static let alice = Credentials(user: 60001, group: 60001, supplementary: [team])
    static let bob = Credentials(user: 60002, group: 60002)
    static let carol = Credentials(user: 60003, group: 60003, supplementary: [team])
    static let team: gid_t = 60010

    /// The same user with one capability.
    func with(capability: CInt) -> Credentials {
        var copy = self
        copy.capability = capability
        return copy
    }
}

/// A forked process that carries out a part of a check, as another user or only as another process.
///
/// Checks run in a worker without other threads, so a forked child may go on in Swift.
final class Child {
    let process: pid_t
    private let what: String
    private let report: CInt
    private var isReaped = false

    /// Starts `body` in a child.
    init(_ what: String, as credentials: Credentials? = nil, _ body: () throws -> Void) throws {
        self.what = what
        var pipe: [CInt] = [-1, -1]
        try call("pipe") { clinux_pipe2(&pipe, O_CLOEXEC) }
        process = try call("fork") { cbench_fork() }
        report = pipe[0]
        if process == 0 { Child.run(pipe[1], credentials, body) }
        Glibc.close(pipe[1])
    }

    deinit {
        if !isReaped {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        Glibc.close(report)
    }

    /// Waits until it has opened `gate`; if it ends before, throws what it threw.
    func reach(_ gate: Gate) throws {
        while try !gate.isOpen(within: 20) {
            if hasEnded {
                if try gate.isOpen(within: 0) { break }
                try join()
                throw CheckFailure("\(what) ended too early")
            }
        }
        try gate.pass()
    }

    /// Whether it ends within the time (seconds). It is still to be waited for.
    func ends(within seconds: Int) -> Bool {
        let end = Deadline(after: Pace.inherited(.seconds(seconds)))
        while !hasEnded, !end.hasPassed { usleep(20_000) }
        return hasEnded
    }

    private var hasEnded: Bool {
        var info = siginfo_t()
        info.si_signo = 0
        return waitid(P_PID, id_t(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo != 0
    }

    /// Waits for its end and throws what it threw.
    func join() throws {
        let (code, message) = result()
        switch code {
        case 0: return
        case Child.failed: throw CheckFailure("\(what): \(message)")
        case Child.skipped: throw CheckSkipped(message)
        default: throw CheckFailure(what, expected: "exit status 0", got: code < 0 ? "signal \(-code)" : "\(code)")
        }
    }

    /// Waits for its end: as ``wait()``, and what it had to say.
    func result() -> (code: CInt, message: String) {
        let code = wait()
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count =
            code == Child.failed || code == Child.skipped ? max(0, Glibc.read(report, &buffer, buffer.count)) : 0
        return (code, String(decoding: buffer.prefix(count), as: UTF8.self))
    }

    /// Waits for its end: the exit status, or the negative signal.
    @discardableResult
    func wait() -> CInt {
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0 && Errno.last == .interrupted {}
        isReaped = true
        return cbench_exit_code(status)
    }

    /// Sends it a signal.
    func signal(_ number: CInt) {
        kill(process, number)
    }

    /// Exit statuses that come with a message.
    static let failed: CInt = 2
    static let skipped: CInt = 3

    private static func run(_ report: CInt, _ credentials: Credentials?, _ body: () throws -> Void) -> Never {
        do {
            if let credentials {
                try call("become user \(credentials.user)") {
                    cbench_become(
                        credentials.user, credentials.group, credentials.supplementary.count, credentials.supplementary,
                        credentials.capability ?? -1)
                }
            }
            // Becoming another user resets it.
            cbench_die_with_parent()
            try body()
            _exit(0)
        } catch let skip as CheckSkipped {
            send(skip.missing, report)
            _exit(skipped)
        } catch {
            send("\(error)", report)
            _exit(failed)
        }
    }

    private static func send(_ message: String, _ report: CInt) {
        let bytes = Array(message.utf8.prefix(8000))
        _ = Glibc.write(report, bytes, bytes.count)
    }
}

/// Lets one process wait for another: a pipe that carries permissions to go on.
final class Gate {
    private var ends: [CInt] = [-1, -1]

    init() throws {
        try call("pipe") { clinux_pipe2(&ends, O_CLOEXEC) }
    }

    deinit {
        Glibc.close(ends[0])
        Glibc.close(ends[1])
    }

    /// Lets `count` waiters pass.
    func open(_ count: Int = 1) {
        let bytes = [UInt8](repeating: 1, count: count)
        _ = Glibc.write(ends[1], bytes, count)
    }

    /// Whether somebody has opened it, or does within the time (milliseconds).
    func isOpen(within milliseconds: CInt) throws -> Bool {
        var entry = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        return try call("wait at gate") { poll(&entry, 1, milliseconds) } == 1
    }

    /// Waits until it is one's turn.
    func pass() throws {
        var byte: UInt8 = 0
        try call("wait at gate") { Glibc.read(ends[0], &byte, 1) }
    }
}

/// Memory that a check shares with its children.
final class SharedMemory {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ length: Int) throws {
        guard let memory = cbench_shared_memory(length) else {
            throw CallError(call: "mmap", path: "", errno: .last)
        }
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: length)
    }

    deinit {
        munmap(bytes.baseAddress!, bytes.count)
    }
}
