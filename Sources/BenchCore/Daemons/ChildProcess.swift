import CLinux
import Glibc
public import LinuxSystem
public import SystemPackage

/// A process that the bench started, in a process group of its own: a daemon, a client, a tool.
///
/// Whatever may block on a mount under test runs in one of these: the bench itself only waits, with a deadline.
public final class ChildProcess: Sendable {
    public let id: ProcessID
    public let command: [String]
    /// Where its output goes; nil for /dev/null.
    public let log: FilePath?
    /// Set once it was waited for.
    private let status = Lock<ExitStatus?>(nil)

    private init(pid: Int32, command: [String], log: FilePath?) {
        id = ProcessID(pid)
        self.command = command
        self.log = log
    }

    /// Starts a program, looked up in PATH, with nothing open but its output.
    ///
    /// - Parameters:
    ///   - environment: variables on top of the bench's own.
    ///   - output: standard output and standard error are appended there; nil for /dev/null.
    ///   - errors: standard error is appended there instead.
    /// - Throws: the errno of posix_spawn(3), ENOENT if there is no such program.
    public static func spawn(
        _ command: [String], environment: [String: String] = [:], output: FilePath? = nil, errors: FilePath? = nil
    ) throws(Errno) -> ChildProcess {
        let descriptor = try openLog(output)
        defer { if descriptor >= 0 { close(descriptor) } }
        let errorDescriptor = try errors == nil ? descriptor : openLog(errors)
        defer { if errors != nil { close(errorDescriptor) } }
        let arguments = command.map { strdup($0) } + [nil]
        let variables = merged(environment).map { strdup($0) } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var pid: pid_t = 0
        _ = try Errno.check { clinux_spawn(&pid, arguments[0], arguments, variables, -1, descriptor, errorDescriptor) }
        return ChildProcess(pid: pid, command: command, log: output)
    }

    private static func openLog(_ path: FilePath?) throws(Errno) -> Int32 {
        guard let path else { return -1 }
        return try Errno.check {
            clinux_openat(AT_FDCWD, path.string, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        }
    }

    private static func merged(_ extra: [String: String]) -> [String] {
        var result: [String] = []
        var position = environ
        while let entry = position.pointee {
            let text = String(cString: entry)
            if extra[String(text.prefix(while: { $0 != "=" }))] == nil { result.append(text) }
            position += 1
        }
        return result + extra.map { "\($0.key)=\($0.value)" }
    }

    /// One system call that may never return, made in a child: its exit status is the call's errno.
    ///
    /// - Throws: the errno of fork(2).
    public static func isolated(_ call: IsolatedCall) throws(Errno) -> ChildProcess {
        let pid = try call.start()
        return ChildProcess(pid: pid, command: [call.description], log: nil)
    }

    /// A process that became a child of the bench by itself: a daemon that a mount helper left behind.
    public static func adopt(_ pid: Int32) -> ChildProcess {
        let command = (contents(of: "/proc/\(pid)/cmdline") ?? "").split(separator: "\0").map(String.init)
        return ChildProcess(pid: pid, command: command, log: nil)
    }

    /// How it ended, or nil while it runs.
    public var exitStatus: ExitStatus? {
        status.withLock { known in
            if let known { return known }
            var raw: Int32 = 0
            let result = waitpid(id.pid, &raw, WNOHANG)
            if result == id.pid {
                known = ExitStatus(waitStatus: raw)
            } else if result < 0 && !id.isAlive {
                // ECHILD: not ours to wait for, and gone.
                known = .unknown
            }
            return known
        }
    }

    public var isRunning: Bool { exitStatus == nil }

    /// Waits for its end; woken by the kernel the moment it comes.
    ///
    /// - Returns: how it ended, or nil if it still runs at the deadline.
    public func wait(until deadline: Deadline) -> ExitStatus? {
        if let status = exitStatus { return status }
        let pidfd = clinux_pidfd_open(id.pid)
        defer { if pidfd >= 0 { close(pidfd) } }
        while !deadline.hasPassed {
            if pidfd >= 0 {
                var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
                // EINTR and spurious wake-ups just ask again.
                _ = poll(&entry, 1, deadline.millisecondsLeft)
                if let status = exitStatus { return status }
                if entry.revents != 0 { Deadline.sleep(.milliseconds(1)) }
            } else {
                if let status = exitStatus { return status }
                Deadline.sleep(.milliseconds(1))
            }
        }
        return exitStatus
    }

    public func wait(_ duration: Duration) -> ExitStatus? { wait(until: Deadline(after: duration)) }

    /// Sends a signal to it alone.
    @discardableResult
    public func signal(_ number: Int32) -> Bool {
        // Safe against reuse of the id: until waitpid has taken the status, the zombie keeps it.
        isRunning && Glibc.kill(id.pid, number) == 0
    }

    /// Sends a signal to its whole process group. Reaped or not, the group's id stays taken while a member lives.
    public func signalGroup(_ number: Int32) {
        if isRunning || !groupMembers.isEmpty { _ = Glibc.kill(-id.pid, number) }
    }

    /// Processes in its group, zombies left out.
    public var groupMembers: [ProcessID] {
        ProcessID.all().filter { pid in
            guard let stat = ProcessID.stat(pid) else { return false }
            return stat.group == id.pid && stat.state != "Z" && stat.startTime >= id.startTime
        }.map(ProcessID.init)
    }

    /// SIGKILL to the group, and waits.
    ///
    /// - Returns: false if it is still there at the deadline (in D state).
    @discardableResult
    public func kill(within duration: Duration = .seconds(5)) -> Bool {
        signalGroup(SIGKILL)
        return wait(duration) != nil
    }

    /// What its output was so far; empty without a log.
    public var output: String { log.flatMap { contents(of: $0.string) } ?? "" }
}
