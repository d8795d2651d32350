import BenchCore

/// Counts a connection's requests by the kernel's own tracepoints: what the daemon says of itself is not believed.
final class RequestCounters {
    typealias Unavailable = TracepointCounter.Unavailable

    private let sent: TracepointCounter
    private let ended: TracepointCounter
    /// INITs sent: the connection's own was, before counting began.
    private let introductions: TracepointCounter
    /// io_uring commands (IORING_OP_URING_CMD) that the daemon's threads submitted.
    private let commands: TracepointCounter?
    private let connection: FuseConnection
    /// Sent by each process that is about to be killed, from then on.
    private var dying: [TracepointCounter] = []

    private static let initOpcode = 26

    /// - Parameter daemon: its threads' ring commands are counted, those of threads that it starts later left out.
    init(connection: FuseConnection, daemon: ProcessID?) throws(Unavailable) {
        self.connection = connection
        let own = "connection == \(connection.number)"
        sent = try TracepointCounter("fuse/fuse_request_send", filter: own)
        ended = try TracepointCounter("fuse/fuse_request_end", filter: own)
        introductions = try TracepointCounter(
            "fuse/fuse_request_send", filter: "\(own) && opcode == \(RequestCounters.initOpcode)")
        commands = daemon.flatMap {
            try? TracepointCounter("io_uring/io_uring_submit_req", filter: "opcode == 46", threadsOf: $0)
        }
    }

    var sentCount: UInt64 { sent.count }
    var endedCount: UInt64 { ended.count }

    /// The connection has ended, and another mount took its number: its requests were counted, too.
    var sawAnotherMount: Bool { introductions.count > 0 }

    /// To be called right before a client of one thread is killed: what it sends from then on is counted apart.
    func expectDeath(of process: ProcessID) throws(Unavailable) {
        dying.append(
            try TracepointCounter(
                "fuse/fuse_request_send", filter: "connection == \(connection.number)", thread: process.pid))
    }

    /// At most so many requests were taken back before the daemon saw them, which has no tracepoint: of each killed client
    /// the one it waited for, and those that it asked for while dying (`request_wait_answer` in fs/fuse/dev.c).
    var withdrawn: UInt64 { dying.reduce(UInt64(dying.count)) { $0 + $1.count } }

    /// Nil where they cannot be counted.
    var ringCommands: UInt64? { commands?.count }
}
