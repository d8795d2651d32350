import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Follows a process's threads through the kernel's trace of system calls, by a clock that counts instructions: what lies between
/// the end of one call and the start of the next is user mode.
struct UserModeTrace {
    private let threads: Set<Int32>
    private let folder: String
    /// What two system calls in a row cost without anything between them: the kernel's way out and in, and the trace's own.
    private let overhead: Double

    private static let events = ["raw_syscalls/sys_enter", "raw_syscalls/sys_exit", "sched/sched_switch"]

    /// Starts to trace. Threads that the process starts later are left out.
    ///
    /// - Throws: ``SpeedUnavailable`` where the kernel has no such trace.
    init(of process: ProcessID) throws(SpeedUnavailable) {
        threads = Set(names(in: "/proc/\(process.pid)/task").compactMap { Int32($0) })
        folder = "/sys/kernel/tracing/instances/fstestkit-\(getpid())"
        overhead = try UserModeTrace.measureOverhead(folder)
        try UserModeTrace.start(folder, threads)
    }

    /// Ends it.
    ///
    /// - Returns: instructions in user mode, of all threads.
    func end() throws(SpeedUnavailable) -> Double {
        let spans = UserModeSpans(trace: try UserModeTrace.stop(folder), threads: threads)
        return spans.total - overhead * Double(spans.count)
    }

    private static func measureOverhead(_ folder: String) throws(SpeedUnavailable) -> Double {
        let me = Int32(clinux_gettid())
        try start(folder, [me])
        for _ in 0..<200 { _ = getppid() }
        let spans = UserModeSpans(trace: try stop(folder), threads: [me])
        guard let least = spans.usual else { throw SpeedUnavailable("the kernel's trace of system calls is empty") }
        return least
    }

    private static func start(_ folder: String, _ threads: Set<Int32>) throws(SpeedUnavailable) {
        mkdir(folder, 0o700)
        let settings = [
            ("tracing_on", "0"), ("trace_clock", "x86-tsc"), ("buffer_size_kb", "8192"),
            ("set_event_pid", threads.map { "\($0)\n" }.joined()),
        ]
        for (name, value) in settings + events.map({ ("events/\($0)/enable", "1") }) + [("tracing_on", "1")] {
            do throws(Errno) {
                try write(value, to: "\(folder)/\(name)")
            } catch {
                throw SpeedUnavailable("\(folder)/\(name) cannot be written: \(error.name)")
            }
        }
    }

    /// - Returns: the trace as text.
    private static func stop(_ folder: String) throws(SpeedUnavailable) -> String {
        try? write("0", to: "\(folder)/tracing_on")
        let text = contents(of: "\(folder)/trace")
        rmdir(folder)
        guard let text else { throw SpeedUnavailable("\(folder)/trace cannot be read") }
        return text
    }

    private static func write(_ text: String, to path: String) throws(Errno) {
        let file = try Errno.check { clinux_openat(AT_FDCWD, path, O_WRONLY | O_TRUNC | O_CLOEXEC, 0) }
        defer { close(file) }
        _ = try Errno.check { Glibc.write(file, text, text.utf8.count) }
    }
}
