import Glibc

/// What a process holds: for the comparison of before and after.
package struct DaemonResources: Sendable {
    package var descriptors: Int
    package var threads: Int
    /// io_uring's worker threads, which are not counted among `threads`.
    package var ringWorkers: Int
    /// Anonymous memory, in bytes.
    package var anonymous: Int

    /// Nil if the process is gone.
    package init?(_ process: ProcessID) {
        guard process.isAlive, let memory = contents(of: "/proc/\(process.pid)/smaps_rollup") else { return nil }
        descriptors = names(in: "/proc/\(process.pid)/fd").count
        let tasks = names(in: "/proc/\(process.pid)/task").compactMap { Int32($0) }.compactMap {
            ProcessID.stat(process.pid, thread: $0)?.name
        }
        ringWorkers = tasks.filter { $0.hasPrefix("iou-") }.count
        threads = tasks.count - ringWorkers
        // Counted page by page: what `status` says of it may be off by as many as each CPU has counted for itself.
        anonymous =
            memory.split(separator: "\n").first { $0.hasPrefix("Anonymous:") }
            .flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
    }

    /// Nanoseconds that each thread of a process has run or waited to run (`/proc/PID/task/TID/schedstat`).
    package static func runnableTime(of process: ProcessID) -> [Int32: UInt64] {
        var result: [Int32: UInt64] = [:]
        for thread in names(in: "/proc/\(process.pid)/task").compactMap({ Int32($0) }) {
            let fields = (contents(of: "/proc/\(process.pid)/task/\(thread)/schedstat") ?? "").split(separator: " ")
            guard fields.count > 1, let ran = UInt64(fields[0]), let waited = UInt64(fields[1]) else { continue }
            result[thread] = ran + waited
        }
        return result
    }

    /// How long a process's threads have waited for a processor, all of them together.
    package static func timeWithoutProcessor(of process: ProcessID) -> Duration {
        let waits = names(in: "/proc/\(process.pid)/task").map { thread in
            (contents(of: "/proc/\(process.pid)/task/\(thread)/schedstat") ?? "").split(separator: " ").dropFirst()
                .first
                .flatMap { Int64($0) } ?? 0
        }
        return .nanoseconds(waits.reduce(0, +))
    }

    /// The most address space that a process has had, in bytes; nil if it is gone.
    package static func peakAddressSpace(of process: ProcessID) -> Int? {
        (contents(of: "/proc/\(process.pid)/status") ?? "").split(separator: "\n").first { $0.hasPrefix("VmPeak:") }
            .flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
    }

    /// What has grown by more than a working daemon's own fluctuation; one line for each.
    package func growth(since before: DaemonResources, allowedMemory: Int) -> [String] {
        var result: [String] = []
        func compare(_ what: String, _ then: Int, _ now: Int, slack: Int) {
            if now > then + slack { result.append("\(what) grew from \(then) to \(now)") }
        }
        compare("open descriptors", before.descriptors, descriptors, slack: 2)
        compare("threads", before.threads, threads, slack: 0)
        compare("anonymous memory", before.anonymous, anonymous, slack: allowedMemory)
        return result
    }
}
