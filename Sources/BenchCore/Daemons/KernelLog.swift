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

        /// The kernel tells of somebody who waits: no news where that is found out already.
        public var isHungTask: Bool { hungTask != nil }

        /// What that is called, in as many bytes as the kernel has for it: `INFO: task NAME:4711 blocked for more than …`.
        var hungTask: Substring? {
            guard let start = message.firstRange(of: "INFO: task ")?.upperBound,
                let end = message.firstRange(of: " blocked for more than ")?.lowerBound, start < end
            else { return nil }
            return message[start..<end].lastIndex(of: ":").map { message[start..<$0] }
        }
    }

    private let descriptor: Int32
    private var collected: [Record] = []
    private var taint: UInt64
    private let taintBefore: UInt64
    /// Runs that had a ledger at the marker.
    private let otherRuns: Set<String>

    /// Sets the marker: records from here on. Nil if the log cannot be read.
    public init?() {
        descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if descriptor < 0 { return nil }
        lseek(descriptor, 0, SEEK_END)
        taintBefore = KernelLog.currentTaint
        taint = taintBefore
        otherRuns = Set(Cleaner.runs)
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

    /// Records that must not come up while a connection ends, whosever they are.
    public var alarms: [Record] { found().map(\.record) }

    /// The same by whose they are, as far as that can be told: the log is the whole machine's.
    ///
    /// - Parameters:
    ///   - run: the ledger of the run that asks.
    ///   - mine: processes of the run.
    public func alarms(of run: Ledger, mine: Set<Int32> = []) -> KernelAlarms {
        let found = found()
        guard !found.isEmpty else { return KernelAlarms() }
        return KernelAlarms(found, of: run, mine: mine, otherRunsBefore: otherRuns)
    }

    /// Each alarm with the process that it names.
    private func found() -> [(record: Record, process: Int32?)] {
        let records = records()
        return records.indices.filter { index in
            KernelLog.patterns.contains { records[index].message.contains($0) }
        }.map { index in
            // "CPU: 1 UID: 0 PID: 4711 Comm: NAME" comes with the report's first lines.
            let lines = records[index..<min(index + 8, records.count)]
            return (records[index], lines.lazy.compactMap { KernelLog.processNamed(in: $0.message) }.first)
        }
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
