import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What the bench has done in processes of its own, since a dead mount would block the bench itself: the roles of
/// `fstestkit bench-helper`.
public enum BenchHelper: Sendable {
    case load(LoadClient.Options)
    /// Keeps a file of the mount open: writes a line whenever it gets SIGUSR1, and closes it at SIGTERM.
    case holdFile(path: String, status: String)
    /// Waits for a lock on a file of the mount, and keeps it until SIGTERM.
    case holdLock(path: String)
    /// Opens a file of the mount and stops (SIGSTOP); continued, has one request of it served on CPU 0, and stops again.
    case ask(Question, path: String)
    /// Takes a copy of a process's `/dev/fuse` descriptor, and keeps it until SIGTERM.
    case holdDevice(pid: Int32)
    /// Invalidates what the kernel knows of a mount, over and over, in its daemon's stead (``NotificationStorm``).
    case notify(pid: Int32, root: String, status: String, clients: [UInt64])
    /// Submits native asynchronous reads and writes, and closes the file while they are under way; over and over.
    case asynchronous(folder: String, status: String)
    /// Runs a command that may not use io_uring.
    case refuseRing([String])
    /// Runs a command in a mount namespace of its own.
    case ownNamespace([String])

    /// What ``ask(_:path:)`` asks for.
    public enum Question: String, Sendable {
        /// A page, past the page cache.
        case read
        /// A lock that nobody has.
        case tryLock = "try-lock"
        /// A lock that somebody may have.
        case lock
    }

    /// As the command line has it.
    public var arguments: [String] {
        let words: [String]
        switch self {
        case .load(let options):
            words = [
                "load", options.kind.rawValue, options.root, "\(options.id)", "\(options.seed)", options.status,
                options.ledger, options.cpu.map { "\($0)" } ?? "any",
                options.connection.map { "\($0)" } ?? "any", options.operations.map { "\($0)" } ?? "any",
            ]
        case .holdFile(let path, let status): words = ["hold-file", path, status]
        case .holdLock(let path): words = ["hold-lock", path]
        case .ask(let question, let path): words = ["ask", question.rawValue, path]
        case .holdDevice(let pid): words = ["hold-device", "\(pid)"]
        case .notify(let pid, let root, let status, let clients):
            words = ["notify", "\(pid)", root, status] + clients.map { "\($0)" }
        case .asynchronous(let folder, let status): words = ["asynchronous", folder, status]
        case .refuseRing(let command): words = ["refuse-ring"] + command
        case .ownNamespace(let command): words = ["own-namespace"] + command
        }
        return ["bench-helper"] + words
    }

    /// Parses what follows `bench-helper`; nil if it is no role.
    public init?(_ words: [String]) {
        switch (words.first, words.count) {
        case ("load", 10):
            guard let kind = LoadKind(rawValue: words[1]), let id = UInt64(words[3]), let seed = UInt64(words[4]) else {
                return nil
            }
            self = .load(
                LoadClient.Options(
                    kind: kind, root: words[2], id: id, seed: seed, status: words[5], ledger: words[6],
                    cpu: Int(words[7]), connection: UInt32(words[8]), operations: Int(words[9])))
        case ("hold-file", 3): self = .holdFile(path: words[1], status: words[2])
        case ("hold-lock", 2): self = .holdLock(path: words[1])
        case ("ask", 3):
            guard let question = Question(rawValue: words[1]) else { return nil }
            self = .ask(question, path: words[2])
        case ("hold-device", 2):
            guard let pid = Int32(words[1]) else { return nil }
            self = .holdDevice(pid: pid)
        case ("notify", 4...):
            let clients = words.dropFirst(4).map { UInt64($0) }
            guard let pid = Int32(words[1]), !clients.contains(nil) else { return nil }
            self = .notify(pid: pid, root: words[2], status: words[3], clients: clients.compactMap(\.self))
        case ("asynchronous", 3): self = .asynchronous(folder: words[1], status: words[2])
        case ("refuse-ring", 2...): self = .refuseRing(Array(words.dropFirst()))
        case ("own-namespace", 2...): self = .ownNamespace(Array(words.dropFirst()))
        default: return nil
        }
    }

    /// Plays the role.
    ///
    /// - Returns: the exit status.
    public func run() -> CInt {
        switch self {
        case .load(let options): return LoadClient.run(options)
        case .holdFile(let path, let status): return BenchHelper.holdFile(path, status)
        case .holdLock(let path): return BenchHelper.holdLock(path)
        case .ask(let question, let path): return BenchHelper.ask(question, path)
        case .holdDevice(let pid): return BenchHelper.holdDevice(of: pid)
        case .notify(let pid, let root, let status, let clients):
            return BenchHelper.notify(pid, root, status, clients)
        case .asynchronous(let folder, let status): return BenchHelper.asynchronous(folder, status)
        case .refuseRing(let command):
            guard clinux_refuse_io_uring() == 0 else { return 126 }
            return BenchHelper.execute(command)
        case .ownNamespace(let command):
            guard clinux_unshare_mounts() == 0 else { return 126 }
            return BenchHelper.execute(command)
        }
    }

    private static func execute(_ command: [String]) -> CInt {
        let arguments = command.map { strdup($0) } + [nil]
        execvp(arguments[0]!, arguments)
        return 127
    }

    private static func holdFile(_ path: String, _ status: String) -> CInt {
        guard let writer = try? LoadStatus.Writer(status) else { return 1 }
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGUSR1)
        sigaddset(&signals, SIGTERM)
        sigprocmask(SIG_BLOCK, &signals, nil)
        let file = clinux_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { return 1 }
        writer.set(.working, 1)
        while true {
            var signal: CInt = 0
            guard sigwait(&signals, &signal) == 0 else { continue }
            if signal == SIGTERM { break }
            do throws(Errno) {
                _ = try Errno.check { pwrite(file, "line\n", 5, 0) }
                _ = try Errno.check { fsync(file) }
            } catch {
                writer.record(error, in: .write)
            }
            writer.add(.operations)
        }
        return close(file) == 0 ? 0 : 1
    }

    private static func holdLock(_ path: String) -> CInt {
        let file = clinux_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0, lock(file, F_SETLKW) else { return 1 }
        while true { pause() }
    }

    private static func lock(_ file: CInt, _ command: CInt) -> Bool {
        var lock = Glibc.flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return clinux_fcntl_lock(file, command, &lock) == 0
    }

    private static func ask(_ question: Question, _ path: String) -> CInt {
        let pageSize = 4096
        var page: UnsafeMutableRawPointer?
        guard clinux_place_thread([0], 1) == 0, posix_memalign(&page, pageSize, pageSize) == 0, let page else {
            return 1
        }
        memset(page, 7, pageSize)
        let file = clinux_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | CLINUX_O_DIRECT, 0o644)
        guard file >= 0, question != .read || pwrite(file, page, pageSize, 0) == pageSize else { return 1 }
        raise(SIGSTOP)
        let isServed =
            switch question {
            case .read: pread(file, page, pageSize, 0) == pageSize
            case .tryLock: lock(file, F_SETLK)
            case .lock: lock(file, F_SETLKW)
            }
        guard isServed else { return 1 }
        // To end would be requests, too.
        while true { raise(SIGSTOP) }
    }

    private static func holdDevice(of pid: Int32) -> CInt {
        guard !devices(of: pid).isEmpty else { return 1 }
        while true { pause() }
    }

    /// pidfd_getfd(2): the same open files of `/dev/fuse` that the daemon has, as a forked child of it would.
    private static func devices(of pid: Int32) -> [CInt] {
        let pidfd = clinux_pidfd_open(pid)
        guard pidfd >= 0 else { return [] }
        defer { close(pidfd) }
        return names(in: "/proc/\(pid)/fd").filter { linkTarget("/proc/\(pid)/fd/\($0)") == "/dev/fuse" }
            .compactMap { Int32($0) }.map { clinux_pidfd_getfd(pidfd, $0) }.filter { $0 >= 0 }
    }

    private static func notify(_ pid: Int32, _ root: String, _ status: String, _ clients: [UInt64]) -> CInt {
        guard let writer = try? LoadStatus.Writer(status), let device = devices(of: pid).first else { return 1 }
        var storm = NotificationStorm(device: device, root: root, clients: clients)
        do throws(Errno) {
            while true {
                try storm.pass()
                writer.set(.working, 1)
                writer.add(.operations)
                usleep(500)
            }
        } catch {
            writer.record(error, in: .notify)
            return 0
        }
    }

    private static func asynchronous(_ folder: String, _ status: String) -> CInt {
        guard let writer = try? LoadStatus.Writer(status) else { return 1 }
        let size = 64 << 10, count: CInt = 16
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 4096, size * Int(count)) == 0, let memory else { return 1 }
        memset(memory, 7, size * Int(count))
        var context: UInt = 0
        guard clinux_aio_setup(64, &context) == 0 else { return 1 }
        do throws(Errno) {
            while true {
                let file = try Errno.check {
                    clinux_openat(AT_FDCWD, "\(folder)/aio", O_RDWR | O_CREAT | O_CLOEXEC | CLINUX_O_DIRECT, 0o644)
                }
                var submitted: CInt = 0
                for index in 0..<count {
                    let result = clinux_aio_submit(
                        context, file, index % 2, memory + Int(index) * size, size, Int64(Int(index) * size))
                    if result > 0 { submitted += result }
                }
                // The last close, with everything still under way.
                _ = close(file)
                writer.set(.working, 1)
                var last: Int64 = 0
                while submitted > 0 {
                    let done = try Errno.check { clinux_aio_wait(context, 1, &last) }
                    if last < 0 { throw Errno(rawValue: CInt(-last)) }
                    submitted -= done
                    writer.add(.operations)
                }
            }
        } catch {
            writer.record(error, in: .directWrite)
            return 0
        }
    }
}
