import BenchCore
import CBench
import CLinux
import Foundation
import Glibc
import LinuxSystem
import SystemPackage

/// The bench's end of a ``Worker``: starts it, gives it tasks, and gives it up when it does not answer.
final class WorkerProcess {
    private let process: pid_t
    private let input: CInt
    /// Where its reports come from; the bench polls it.
    let output: CInt
    private var received: [UInt8] = []
    /// What it works at, since when, and when it was last heard of (monotonic nanoseconds).
    private(set) var task: WorkerTask?
    private(set) var started: UInt64 = 0
    private var lastSign: UInt64 = 0
    /// Its time was over, and it was seen to get on: so often.
    private var extensions = 0
    /// Since half of its time is over: whether others get on where it does not.
    private var standstill: Standstill?
    private let pace: Pace

    /// Starts this project's program as a worker; the run's ledger knows it.
    init(bench: Workbench) throws {
        pace = bench.pace
        var toWorker: [CInt] = [-1, -1]
        var fromWorker: [CInt] = [-1, -1]
        // A socket, since writing to a worker that has died must be an error and no signal.
        try call("socketpair") { socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &toWorker) }
        try call("pipe") { clinux_pipe2(&fromWorker, O_CLOEXEC) }
        defer {
            close(toWorker[0])
            close(fromWorker[1])
        }
        var variables = ProcessInfo.processInfo.environment
        variables.merge(bench.environment) { $1 }
        let command = [bench.program, "correctness-worker"]
        var child: pid_t = 0
        try command.withCStrings { arguments in
            try variables.map { "\($0.key)=\($0.value)" }.withCStrings { environment in
                var arguments = arguments
                var environment = environment
                try call("start worker") {
                    clinux_spawn(
                        &child, arguments[0], &arguments, &environment, toWorker[0], fromWorker[1], STDERR_FILENO)
                }
            }
        }
        process = child
        input = toWorker[1]
        output = fromWorker[0]
        bench.ledger.record(.process(ProcessID(child), command: command.joined(separator: " ")))
    }

    deinit {
        close(input)
        close(output)
        // Without input it ends by itself; one that hangs was killed before, and stays as long as its mount does.
        if exitCode(within: 1) == nil { kill(-process, SIGKILL) }
    }

    /// Gives it a task.
    func start(_ task: WorkerTask) throws {
        self.task = task
        started = cbench_now()
        lastSign = started
        extensions = 0
        standstill = nil
        var line = try JSONEncoder().encode(task)
        line.append(10)
        let count = try line.withUnsafeBytes { bytes in
            try call("write to worker") { send(input, bytes.baseAddress!, bytes.count, CInt(MSG_NOSIGNAL)) }
        }
        precondition(count == line.count, "a socket that blocks takes all")
    }

    /// Nanoseconds until its deadline; 0 if that has passed.
    ///
    /// - Parameter longest: seconds that any task gets, however long its own deadline is.
    func timeLeft(longest: Int) -> UInt64 {
        guard task != nil else { return .max }
        let deadline = lastSign + time(longest)
        return deadline - min(deadline, cbench_now())
    }

    private func time(_ longest: Int) -> UInt64 {
        UInt64(Double(min(task?.deadline ?? longest, longest)) * pace.factor * 1e9)
    }

    /// Looks, once half of its time is over, whether others get answers of the daemon while it gets none.
    func watch(beside others: [WorkerProcess], longest: Int) {
        guard standstill == nil, task != nil, timeLeft(longest: longest) < time(longest) / 2 else { return }
        standstill = Standstill(of: members(), beside: others.filter { $0 !== self }.map { $0.members() })
    }

    /// Its time is over: looks whether it gets on, and gives it as much once more then, for so many times.
    func isSlow(servedBy daemon: ChildProcess?) -> Bool {
        guard extensions < ProcessActivity.patience,
            ProcessActivity(of: members(), servedBy: daemon.map { [$0.id.pid] } ?? [])
                .isSeen(isPassedOver: standstill?.isPassedOver ?? false)
        else {
            return false
        }
        extensions += 1
        standstill = nil
        lastSign = cbench_now()
        return true
    }

    /// Whether there is something to receive by now.
    var hasSpoken: Bool {
        var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// Reads what it has said. Nil when it has died.
    func receive() -> [WorkerReport]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(output, &buffer, buffer.count)
        if count <= 0 { return nil }
        lastSign = cbench_now()
        standstill = nil
        received += buffer.prefix(count)
        var reports: [WorkerReport] = []
        while let end = received.firstIndex(of: 10) {
            if let report = try? JSONDecoder().decode(WorkerReport.self, from: Data(received[..<end])) {
                reports.append(report)
            }
            received.removeSubrange(...end)
        }
        return reports
    }

    /// Its task has ended.
    func finish() {
        task = nil
    }

    /// Where it hangs, as far as the kernel tells; then ends it and all that it started, without waiting.
    func giveUp() -> String {
        var lines: [String] = []
        for member in members() {
            for file in ["comm", "wchan", "stack", "syscall"] {
                let text = contents(of: "/proc/\(member)/\(file)") ?? ""
                lines.append("\(member) \(file): \(text.trimmingCharacters(in: .whitespacesAndNewlines))")
            }
        }
        kill(-process, SIGKILL)
        task = nil
        return lines.joined(separator: "\n")
    }

    /// How it ended, where it has by then (seconds).
    func exitCode(within seconds: Double = 0.1) -> CInt? {
        var status: CInt = 0
        let end = cbench_now() + UInt64(seconds * 1e9)
        repeat {
            if waitpid(process, &status, WNOHANG) == process { return cbench_exit_code(status) }
            usleep(1000)
        } while cbench_now() < end
        return nil
    }

    /// The processes of its group.
    private func members() -> [pid_t] {
        ProcessID.all().filter { getpgid($0) == process }
    }
}
