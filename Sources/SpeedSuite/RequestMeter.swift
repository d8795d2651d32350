import BenchCore
import LinuxSystem

/// Counts in the warm-up what costs too much to count in the rounds: requests, commands, wake-ups. What the machine does not permit
/// is "not counted".
final class RequestMeter {
    private let daemon: MountedDaemon
    private let bench: Workbench
    private let requests: TracepointCounter?
    private let commands: TracepointCounter?
    private let wakeUps: TracepointCounter?
    private let instructions: InstructionCounter?
    private let before: DaemonStatistics?

    init(_ daemon: MountedDaemon, _ bench: Workbench) {
        self.daemon = daemon
        self.bench = bench
        requests = daemon.connection.flatMap { connection in
            try? TracepointCounter("fuse/fuse_request_send", filter: "connection == \(connection.number)")
        }
        // IORING_OP_URING_CMD.
        commands = daemon.process.flatMap { process in
            try? TracepointCounter("io_uring/io_uring_submit_req", filter: "opcode == 46", threadsOf: process.id)
        }
        wakeUps = daemon.process.flatMap { process in
            try? TracepointCounter("sched/sched_wakeup", filter: nil, threadsOf: process.id)
        }
        instructions = daemon.process.flatMap { InstructionCounter(of: $0.id) }
        before = daemon.target.isOurs ? DaemonStatistics.ask(daemon, bench: bench)?.0 : nil
    }

    /// - Parameter interrupts: those between cores, of the same time.
    func counts(interrupts: Double?) -> SpeedRecord.RequestCounts {
        var counts = SpeedRecord.RequestCounts()
        counts.requests = requests.map { Double($0.count) }
        counts.ringCommands = commands.map { Double($0.count) }
        counts.wakeUps = wakeUps.map { Double($0.count) }
        counts.instructions = instructions.map { Double($0.count) }
        counts.interrupts = interrupts
        guard let before, let after = DaemonStatistics.ask(daemon, bench: bench)?.0 else { return counts }
        counts.requests = counts.requests ?? Double(after.fetched - before.fetched)
        counts.device = Double(after.device.fetched - before.device.fetched)
        if !after.queues.isEmpty {
            let past = Dictionary(before.queues.map { ($0.queue, $0) }, uniquingKeysWith: { first, _ in first })
            counts.queues = after.queues.map { Double($0.fetched - (past[$0.queue]?.fetched ?? 0)) }
            let fetched = after.queues.reduce(0) { $0 + Double($1.fetched) }
            let batches = after.queues.reduce(0) { sum, queue in
                sum + (queue.meanBatch.map { $0 > 0 ? Double(queue.fetched) / $0 : 0 } ?? 0)
            }
            counts.batch = batches > 0 ? fetched / batches : nil
        }
        return counts
    }
}
