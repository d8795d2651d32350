import Glibc

/// A process by id and start time, so that another that got the same id later is never taken for it.
public struct ProcessID: Sendable, Hashable, Codable, CustomStringConvertible {
    public let pid: Int32
    /// In clock ticks since boot (field 22 of `/proc/PID/stat`); 0 if it was gone before it could be read.
    public let startTime: UInt64

    /// The process that has this id now.
    public init(_ pid: Int32) {
        self.pid = pid
        startTime = ProcessID.stat(pid)?.startTime ?? 0
    }

    public static var current: ProcessID { ProcessID(getpid()) }

    /// It exists and is not a zombie.
    public var isAlive: Bool {
        guard let stat = ProcessID.stat(pid), stat.startTime == startTime else { return false }
        return stat.state != "Z" && stat.state != "X"
    }

    /// The state letter of proc(5): `R`, `S`, `D`, `T`, `Z` …; nil if it is gone.
    public var state: Character? {
        guard let stat = ProcessID.stat(pid), stat.startTime == startTime else { return nil }
        return stat.state
    }

    /// What it is called; empty if it is gone.
    public var name: String { ProcessID.stat(pid)?.name ?? "" }

    /// Sends a signal, unless the process is gone.
    @discardableResult
    public func signal(_ number: Int32) -> Bool {
        isAlive && kill(pid, number) == 0
    }

    public var description: String { "\(pid)" }

    /// The fields of `/proc/PID/stat` that the bench needs. The name in field 2 may hold blanks and parentheses.
    package static func stat(
        _ pid: Int32, thread: Int32? = nil
    ) -> (name: String, state: Character, parent: Int32, group: Int32, ticks: UInt64, threads: Int, startTime: UInt64)?
    {
        let path = thread.map { "/proc/\(pid)/task/\($0)/stat" } ?? "/proc/\(pid)/stat"
        guard let text = contents(of: path), let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: close)...].split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard fields.count > 19, let state = fields[0].first else { return nil }
        return (
            String(text[text.index(after: open)..<close]), state, Int32(fields[1]) ?? 0, Int32(fields[2]) ?? 0,
            (UInt64(fields[11]) ?? 0) + (UInt64(fields[12]) ?? 0), Int(fields[17]) ?? 0, UInt64(fields[19]) ?? 0
        )
    }

    /// How often a thread, or all threads of a process, gave the processor up by themselves, to wait for something.
    static func voluntarySwitches(of pid: Int32, thread: Int32? = nil) -> UInt64 {
        guard let thread else {
            return names(in: "/proc/\(pid)/task").compactMap { Int32($0) }
                .reduce(0) { $0 + voluntarySwitches(of: pid, thread: $1) }
        }
        return (contents(of: "/proc/\(pid)/task/\(thread)/status") ?? "").split(separator: "\n")
            .first { $0.hasPrefix("voluntary_ctxt_switches:") }.flatMap { UInt64($0.filter(\.isNumber)) } ?? 0
    }

    /// The process that a thread belongs to; nil if it is gone.
    static func leader(of thread: Int32) -> Int32? {
        (contents(of: "/proc/\(thread)/status") ?? "").split(separator: "\n").first { $0.hasPrefix("Tgid:") }
            .flatMap { Int32($0.filter(\.isNumber)) }
    }

    /// Every process of this machine, by id.
    public static func all() -> [Int32] {
        names(in: "/proc").compactMap { Int32($0) }
    }
}
