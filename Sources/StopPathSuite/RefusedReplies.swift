import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Counts the replies of a daemon that the kernel does not take: the second one to a request, one to a request that there is not, one
/// that is no reply. Nobody else notices them.
///
/// Without a signal to a client, and without an end of the connection, there may be none.
final class RefusedReplies {
    private let counters: [Int32]

    /// ENOENT for a request that is not there, EINVAL for what is no reply.
    private static let refusal = "== -2"
    private static let fault = "== -22"
    /// Where refusals show: by system call, or in a completion of the ring.
    private static let places = [
        ("syscalls/sys_exit_write", "ret"), ("syscalls/sys_exit_writev", "ret"), ("syscalls/sys_exit_splice", "ret"),
        ("io_uring/io_uring_complete", "res"),
    ]

    /// Counts those of all threads that the daemon has now.
    ///
    /// - Throws: `RequestCounters.Unavailable`.
    init(of daemon: ProcessID) throws(RequestCounters.Unavailable) {
        var counters: [Int32] = []
        for (name, field) in RefusedReplies.places {
            let tracepoint = try RequestCounters.tracepoint(name)
            let filter = "\(field) \(RefusedReplies.refusal) || \(field) \(RefusedReplies.fault)"
            for thread in names(in: "/proc/\(daemon.pid)/task").compactMap({ Int32($0) }) {
                let descriptor = clinux_count_tracepoint(tracepoint, thread, -1, filter)
                if descriptor >= 0 { counters.append(descriptor) }
            }
        }
        self.counters = counters
        if counters.isEmpty { throw RequestCounters.Unavailable(reason: "perf_event_open: \(Errno.last.name)") }
    }

    deinit {
        for counter in counters { close(counter) }
    }

    var count: UInt64 { RequestCounters.sum(counters) }
}
