import Glibc

/// The kernel log from a marker on, read from `/dev/kmsg`.
public final class KernelLog {
    public struct Record: Sendable, Hashable {
        /// syslog(2)'s level, 0 to 7.
        public let level: Int
        public let sequence: UInt64
        /// Microseconds since boot.
        public let time: UInt64
        public let message: String
    }

    private let descriptor: Int32
    private var collected: [Record] = []
    private var taint: UInt64
    private let taintBefore: UInt64

    /// Sets the marker: records from here on. Nil if the log cannot be read.
    public init?() {
        descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if descriptor < 0 { return nil }
        lseek(descriptor, 0, SEEK_END)
        taintBefore = KernelLog.currentTaint
        taint = taintBefore
    }

    deinit { close(descriptor) }

    /// Everything logged since the marker.
    public func records() -> [Record] {
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress!, $0.count) }
            if count > 0 {
                if let record = KernelLog.parse(String(decoding: buffer[..<count], as: UTF8.self)) {
                    collected.append(record)
                }
                continue
            }
            // EPIPE: records were overwritten before they were read; the next read goes on behind them.
            if count < 0 && (errno == EPIPE || errno == EINTR) { continue }
            return collected
        }
    }

    /// What was added to `/proc/sys/kernel/tainted` since the marker.
    public var addedTaint: UInt64 { KernelLog.currentTaint & ~taintBefore }

    private static var currentTaint: UInt64 {
        contents(of: "/proc/sys/kernel/tainted").flatMap { UInt64($0.filter(\.isNumber)) } ?? 0
    }

    /// Records that must not come up while a connection ends.
    ///
    /// - Parameter mine: processes of the run. The log is the whole machine's: a report that names another living process
    ///   of user space is left out; one of a kernel thread or of a process that is gone counts.
    public func alarms(besides mine: Set<Int32> = []) -> [Record] {
        let records = records()
        return records.indices.filter { index in
            guard KernelLog.patterns.contains(where: { records[index].message.contains($0) }) else { return false }
            // "CPU: 1 UID: 0 PID: 4711 Comm: NAME" comes with the report's first lines.
            for record in records[index..<min(index + 8, records.count)] {
                guard let pid = KernelLog.processNamed(in: record.message) else { continue }
                if mine.contains(pid) { return true }
                return (contents(of: "/proc/\(pid)/cmdline") ?? "").isEmpty
            }
            return true
        }.map { records[$0] }
    }

    /// The process that a report is about: `PID: 4711 Comm: NAME`, or `INFO: task NAME:4711 blocked for …`.
    static func processNamed(in message: String) -> Int32? {
        if let range = message.firstRange(of: "PID: ") {
            return Int32(message[range.upperBound...].prefix(while: \.isNumber))
        }
        guard message.contains("INFO: task "), let range = message.firstRange(of: " blocked for more than ") else {
            return nil
        }
        return message[..<range.lowerBound].split(separator: ":").last.flatMap { Int32($0) }
    }

    public static let patterns = [
        "WARNING:", "BUG:", "kernel BUG", "Oops", "KASAN", "KCSAN", "UBSAN", "general protection fault",
        "possible circular locking",
        "possible recursive locking", "inconsistent lock state", "INFO: task", "blocked for more than", "soft lockup",
        "hard LOCKUP", "rcu: INFO", "refcount_t", "entry teardown", "ent-commit-queue", "unique mismatch",
        "list_del corruption",
        "list_add corruption", "use-after-free",
    ]

    /// `level,sequence,time,flags;message`, continued by lines that begin with a blank.
    static func parse(_ text: String) -> Record? {
        guard let separator = text.firstIndex(of: ";") else { return nil }
        let head = text[..<separator].split(separator: ",")
        guard head.count >= 3, let priority = Int(head[0]), let sequence = UInt64(head[1]), let time = UInt64(head[2])
        else { return nil }
        let message = text[text.index(after: separator)...].prefix(while: { $0 != "\n" })
        return Record(level: priority & 7, sequence: sequence, time: time, message: String(message))
    }

    /// For a file.
    public var text: String {
        records().map { "<\($0.level)> [\(Double($0.time) / 1e6)] \($0.message)\n" }.joined()
    }
}
