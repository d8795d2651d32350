/// What every thread of a process is doing: for the evidence of one that is late.
public struct ProcessSnapshot: Sendable {
    public struct Thread: Sendable {
        public let id: Int32
        public let name: String
        public let state: Character
        /// The kernel function it waits in (`/proc/PID/task/TID/wchan`).
        public let waitChannel: String
        /// System call number and arguments, or `running`.
        public let systemCall: String
        /// The kernel stack; empty without the right to read it.
        public let stack: String
    }

    public let process: ProcessID
    public let command: String
    public let threads: [Thread]

    /// Reads procfs; the process may go on or end meanwhile.
    public init(_ process: ProcessID) {
        self.process = process
        let base = "/proc/\(process.pid)"
        command = (contents(of: base + "/cmdline") ?? "").split(separator: "\0").joined(separator: " ")
        threads = names(in: base + "/task").compactMap { Int32($0) }.sorted().compactMap { id in
            guard let stat = ProcessID.stat(process.pid, thread: id) else { return nil }
            func read(_ name: String) -> String { contents(of: "\(base)/task/\(id)/\(name)") ?? "" }
            func line(_ name: String) -> String { String(read(name).prefix(while: { $0 != "\n" })) }
            return Thread(
                id: id, name: stat.name, state: stat.state, waitChannel: line("wchan"), systemCall: line("syscall"),
                stack: read("stack"))
        }
    }

    /// Threads in uninterruptible sleep.
    public var blocked: [Thread] { threads.filter { $0.state == "D" } }

    /// The process exits, and waits for the last of its threads, which take no signals any more.
    public var isExiting: Bool { threads.contains { $0.id == process.pid && $0.state == "Z" } }

    /// io_uring's workers among the threads.
    public var ringWorkers: [Thread] { threads.filter { $0.name.hasPrefix("iou-") } }

    /// A line: `process 12 (fstestkit) in state D, in request_wait_answer`.
    public var whereItIs: String {
        let thread = threads.first { $0.state == "D" } ?? threads.first
        guard let thread else { return "process \(process.pid) is gone" }
        let place = thread.waitChannel.isEmpty || thread.waitChannel == "0" ? "" : ", in \(thread.waitChannel)"
        return "process \(process.pid) (\(thread.name)) is in state \(thread.state)\(place)"
    }

    /// Where the kernel puts the core of a process that crashes (core(5)).
    public static var corePattern: String { contents(of: "/proc/sys/kernel/core_pattern") ?? "unknown\n" }

    /// For a file.
    public var text: String {
        var result = "process \(process.pid): \(command)\n"
        for thread in threads {
            result += """

                thread \(thread.id) (\(thread.name)) state \(thread.state) wchan \(thread.waitChannel)
                syscall \(thread.systemCall)
                \(thread.stack)
                """
        }
        return result
    }
}
