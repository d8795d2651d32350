import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Counts a connection's requests by the kernel's own tracepoints: what the daemon says of itself is not believed.
///
/// Counters of perf_event_open(2), not the trace buffer: they lose nothing under load.
final class RequestCounters {
    /// Why they cannot be had here.
    struct Unavailable: Error { let reason: String }

    private let sent: [Int32]
    private let ended: [Int32]
    /// INITs sent: the connection's own was, before counting began.
    private let introductions: [Int32]

    private static let initOpcode = 26
    private static let tracefs = "/sys/kernel/tracing"

    /// io_uring commands (IORING_OP_URING_CMD) that the daemon's threads submitted.
    private var commands: [Int32]?
    private let connection: FuseConnection
    /// Sent by each process that is about to be killed, from then on.
    private var dying: [Int32] = []

    /// - Parameter daemon: its threads' ring commands are counted, those of threads that it starts later left out.
    init(connection: FuseConnection, daemon: ProcessID?) throws(Unavailable) {
        self.connection = connection
        let send = try RequestCounters.tracepoint("fuse/fuse_request_send")
        let end = try RequestCounters.tracepoint("fuse/fuse_request_end")
        do throws(Errno) {
            sent = try RequestCounters.open(send, "connection == \(connection.number)")
            ended = try RequestCounters.open(end, "connection == \(connection.number)")
            introductions = try RequestCounters.open(
                send, "connection == \(connection.number) && opcode == \(RequestCounters.initOpcode)")
        } catch {
            throw Unavailable(reason: "perf_event_open: \(error.name)")
        }
        if let daemon { commands = RequestCounters.countCommands(of: daemon) }
    }

    deinit {
        let counts = sent + ended + introductions + dying + (commands ?? [])
        for descriptor in counts { close(descriptor) }
    }

    var sentCount: UInt64 { RequestCounters.sum(sent) }
    var endedCount: UInt64 { RequestCounters.sum(ended) }

    /// The connection has ended, and another mount took its number: its requests were counted, too.
    var sawAnotherMount: Bool { RequestCounters.sum(introductions) > 0 }

    /// To be called right before a client of one thread is killed: what it sends from then on is counted apart.
    func expectDeath(of process: ProcessID) throws(Unavailable) {
        let send = try RequestCounters.tracepoint("fuse/fuse_request_send")
        let filter = "connection == \(connection.number)"
        do throws(Errno) {
            dying.append(try Errno.check { clinux_count_tracepoint(send, process.pid, -1, filter) })
        } catch {
            throw Unavailable(reason: "perf_event_open: \(error.name)")
        }
    }

    /// At most so many requests were taken back before the daemon saw them, which has no tracepoint: of each killed client
    /// the one it waited for, and those that it asked for while dying (`request_wait_answer` in fs/fuse/dev.c).
    var withdrawn: UInt64 { UInt64(dying.count) + RequestCounters.sum(dying) }

    /// Nil where they cannot be counted.
    var ringCommands: UInt64? { commands.map(RequestCounters.sum) }

    private static func countCommands(of daemon: ProcessID) -> [Int32]? {
        guard let submit = try? tracepoint("io_uring/io_uring_submit_req") else { return nil }
        var result: [Int32] = []
        for thread in names(in: "/proc/\(daemon.pid)/task").compactMap({ Int32($0) }) {
            let descriptor = clinux_count_tracepoint(submit, thread, -1, "opcode == 46")
            if descriptor >= 0 { result.append(descriptor) }
        }
        return result
    }

    static func tracepoint(_ name: String) throws(Unavailable) -> Int32 {
        if MountTable.current().last(where: { $0.mountPoint == tracefs }) == nil {
            let mount = try? ChildProcess.spawn(["mount", "-t", "tracefs", "tracefs", tracefs])
            _ = mount?.wait(.seconds(5))
        }
        guard let text = contents(of: "\(tracefs)/events/\(name)/id"), let id = Int32(text.filter(\.isNumber)) else {
            throw Unavailable(reason: "no tracepoint \(name) in \(tracefs)")
        }
        return id
    }

    private static func open(_ tracepoint: Int32, _ filter: String) throws(Errno) -> [Int32] {
        var result: [Int32] = []
        for cpu in try CPUSet.online() {
            do throws(Errno) {
                result.append(try Errno.check { clinux_count_tracepoint(tracepoint, -1, CInt(cpu), filter) })
            } catch {
                for descriptor in result { close(descriptor) }
                throw error
            }
        }
        return result
    }

    static func sum(_ descriptors: [Int32]) -> UInt64 {
        descriptors.reduce(0) { total, descriptor in
            var count: UInt64 = 0
            return read(descriptor, &count, 8) == 8 ? total &+ count : total
        }
    }
}
