import BenchCore

/// Counts the replies of a daemon that the kernel does not take: the second one to a request, one to a request that there is not, one
/// that is no reply. Nobody else notices them.
///
/// Without a signal to a client, and without an end of the connection, there may be none.
final class RefusedReplies {
    private let counters: [TracepointCounter]

    /// ENOENT for a request that is not there, EINVAL for what is no reply.
    private static let refusal = "== -2"
    private static let fault = "== -22"
    /// Where refusals show: by system call, or in a completion of the ring.
    private static let places = [
        ("syscalls/sys_exit_write", "ret"), ("syscalls/sys_exit_writev", "ret"), ("syscalls/sys_exit_splice", "ret"),
        ("io_uring/io_uring_complete", "res"),
    ]

    /// Counts those of all threads that the daemon has now.
    init(of daemon: ProcessID) throws(TracepointCounter.Unavailable) {
        var counters: [TracepointCounter] = []
        for (name, field) in RefusedReplies.places {
            let filter = "\(field) \(RefusedReplies.refusal) || \(field) \(RefusedReplies.fault)"
            counters.append(try TracepointCounter(name, filter: filter, threadsOf: daemon))
        }
        self.counters = counters
    }

    var count: UInt64 { counters.reduce(0) { $0 + $1.count } }
}
