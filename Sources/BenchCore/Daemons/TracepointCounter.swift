import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Counts the events of one of the kernel's tracepoints by perf_event_open(2): counters, and not the trace buffer, lose nothing under
/// load.
public final class TracepointCounter {
    /// Why it cannot be had here.
    public struct Unavailable: Error, Sendable { public let reason: String }

    private let descriptors: [Int32]
    private static let tracefs = "/sys/kernel/tracing"

    private init(_ descriptors: [Int32]) { self.descriptors = descriptors }

    deinit { for descriptor in descriptors { close(descriptor) } }

    /// Whoever causes the events, on whichever CPU.
    ///
    /// - Parameters:
    ///   - name: `fuse/fuse_request_send`.
    ///   - filter: in the syntax of tracefs.
    public convenience init(_ name: String, filter: String?) throws(Unavailable) {
        let id = try TracepointCounter.id(of: name)
        var descriptors: [Int32] = []
        do throws(Errno) {
            for cpu in try CPUSet.online() {
                descriptors.append(try TracepointCounter.open(id, thread: -1, cpu: CInt(cpu), filter))
            }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw Unavailable(reason: "perf_event_open: \(error.name)")
        }
        self.init(descriptors)
    }

    /// Those that one thread causes.
    public convenience init(_ name: String, filter: String?, thread: Int32) throws(Unavailable) {
        let id = try TracepointCounter.id(of: name)
        do throws(Errno) {
            self.init([try TracepointCounter.open(id, thread: thread, cpu: -1, filter)])
        } catch {
            throw Unavailable(reason: "perf_event_open: \(error.name)")
        }
    }

    /// Those that a process's threads cause; threads that it starts later are left out.
    public convenience init(_ name: String, filter: String?, threadsOf process: ProcessID) throws(Unavailable) {
        let id = try TracepointCounter.id(of: name)
        let threads = names(in: "/proc/\(process.pid)/task").compactMap { Int32($0) }
        let descriptors = threads.compactMap { try? TracepointCounter.open(id, thread: $0, cpu: -1, filter) }
        if descriptors.isEmpty { throw Unavailable(reason: "perf_event_open: no thread of the process can be counted") }
        self.init(descriptors)
    }

    /// Since it was made.
    public var count: UInt64 {
        descriptors.reduce(0) { total, descriptor in
            var count: UInt64 = 0
            return read(descriptor, &count, 8) == 8 ? total &+ count : total
        }
    }

    private static func open(_ id: Int32, thread: Int32, cpu: CInt, _ filter: String?) throws(Errno) -> Int32 {
        try Errno.check { clinux_count_tracepoint(id, thread, cpu, filter) }
    }

    private static func id(of name: String) throws(Unavailable) -> Int32 {
        if MountTable.current().last(where: { $0.mountPoint == tracefs }) == nil {
            let mount = try? ChildProcess.spawn(["mount", "-t", "tracefs", "tracefs", tracefs])
            _ = mount?.wait(.seconds(5))
        }
        guard let text = contents(of: "\(tracefs)/events/\(name)/id"), let id = Int32(text.filter(\.isNumber)) else {
            throw Unavailable(reason: "no tracepoint \(name) in \(tracefs)")
        }
        return id
    }
}

/// Counts the instructions of a process in user mode by the processor's own counter.
public final class InstructionCounter {
    private let descriptors: [Int32]

    /// Nil where the machine has no such counter; many virtual ones have none.
    public init?(of process: ProcessID) {
        descriptors = names(in: "/proc/\(process.pid)/task").compactMap { Int32($0) }.map(clinux_count_instructions)
            .filter { $0 >= 0 }
        if descriptors.isEmpty { return nil }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }

    /// Since it was made.
    public var count: UInt64 {
        descriptors.reduce(0) { total, descriptor in
            var count: UInt64 = 0
            return read(descriptor, &count, 8) == 8 ? total &+ count : total
        }
    }
}
