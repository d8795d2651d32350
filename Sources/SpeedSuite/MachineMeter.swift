import BenchCore
import Glibc
import LinuxSystem

/// What the machine as a whole has done since it was started.
struct MachineMeter {
    /// Microseconds of all processors: at work for processes, for kernel threads, and taken by the host.
    private let busy: Double
    private let kernelThreads: [Int32: UInt64]
    private let steal: Double
    /// This process, and its children that have ended.
    private let own: Double
    private let children: Double
    private let interrupts: Double?
    private let moment = ContinuousClock.now

    /// Reads procfs.
    init() {
        let fields = (contents(of: "/proc/stat") ?? "").prefix(while: { $0 != "\n" }).split(separator: " ").dropFirst()
            .map { Double($0) ?? 0 }
        let times = fields + [Double](repeating: 0, count: max(0, 8 - fields.count))
        // User, nice and system; interrupts are mostly of what is measured.
        busy = (times[0] + times[1] + times[2]) * MachineMeter.tick
        steal = times[7] * MachineMeter.tick
        let bench = ProcessTimes(ProcessID.current)
        children = bench?.children ?? 0
        own = (bench?.total ?? 0) + children
        var threads: [Int32: UInt64] = [:]
        for pid in ProcessID.all() {
            if let stat = ProcessID.stat(pid), stat.parent == 2 { threads[pid] = stat.ticks }
        }
        kernelThreads = threads
        interrupts = MachineMeter.callsBetweenCores()
    }

    /// Microseconds.
    static let tick = 1_000_000 / Double(sysconf(CInt(_SC_CLK_TCK)))
    private static let processors = Double((try? CPUSet.online().count) ?? 1)

    /// - Parameter daemon: processor time of the daemon in between, which is no child that has ended.
    /// - Returns: the part of all processors' time that others had.
    func disturbance(until end: MachineMeter, daemon: Double) -> Double {
        let elapsed = (end.moment - moment).seconds * 1e6 * MachineMeter.processors
        let ours = end.own - own + daemon + kernelThreadTime(until: end)
        let others = max(0, end.busy - busy - ours) + end.steal - steal
        return elapsed > 0 ? min(1, others / elapsed) : 0
    }

    /// Those that are there at the end; what one that has ended did is lost.
    func kernelThreadTime(until end: MachineMeter) -> Double {
        end.kernelThreads.reduce(0) { sum, thread in
            let before = kernelThreads[thread.key] ?? 0
            return sum + (thread.value > before ? Double(thread.value - before) * MachineMeter.tick : 0)
        }
    }

    /// Of clients that have ended.
    func clientTime(until end: MachineMeter) -> Double { end.children - children }

    func interrupts(until end: MachineMeter) -> Double? {
        guard let before = interrupts, let after = end.interrupts else { return nil }
        return after - before
    }

    func stealShare(until end: MachineMeter) -> Double {
        let elapsed = (end.moment - moment).seconds * 1e6 * MachineMeter.processors
        return elapsed > 0 ? (end.steal - steal) / elapsed : 0
    }

    /// Rescheduling interrupts and function calls, where the kernel lists them by these names.
    private static func callsBetweenCores() -> Double? {
        let lines = (contents(of: "/proc/interrupts") ?? "").split(separator: "\n").map {
            $0.split(separator: " ")
        }.filter { ["RES:", "CAL:"].contains($0.first ?? "") }
        if lines.isEmpty { return nil }
        return lines.reduce(0) { sum, line in line.dropFirst().compactMap { Double($0) }.reduce(sum, +) }
    }
}

/// What the kernel tells of the machine's state: read at the start and at the end of a run.
struct MachineState {
    let load: Double
    /// Microseconds for which something waited, by what for.
    private let waits: [String: Double]
    private let throttled: Int
    private let moment = ContinuousClock.now
    private let meter = MachineMeter()

    init() {
        load = (contents(of: "/proc/loadavg") ?? "").split(separator: " ").first.flatMap { Double($0) } ?? 0
        var waits: [String: Double] = [:]
        for what in ["cpu", "memory", "io"] {
            guard let line = (contents(of: "/proc/pressure/\(what)") ?? "").split(separator: "\n").first,
                let total = line.split(separator: "total=").last.flatMap({ Double($0) })
            else { continue }
            waits[what] = total
        }
        self.waits = waits
        throttled = names(in: "/sys/devices/system/cpu").filter { $0.hasPrefix("cpu") }.reduce(0) { sum, name in
            let path = "/sys/devices/system/cpu/\(name)/thermal_throttle/core_throttle_count"
            return sum + ((contents(of: path)).flatMap { Int($0.filter(\.isNumber)) } ?? 0)
        }
    }

    func conditions(until end: MachineState) -> SpeedRecord.Conditions {
        var result = SpeedRecord.Conditions()
        let elapsed = (end.moment - moment).seconds * 1e6
        result.steal = meter.stealShare(until: end.meter)
        for (what, before) in waits {
            if let after = end.waits[what], elapsed > 0 { result.pressure[what] = (after - before) / elapsed }
        }
        (result.loadBefore, result.loadAfter) = (load, end.load)
        result.throttled = end.throttled - throttled
        return result
    }
}
