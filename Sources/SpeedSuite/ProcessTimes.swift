import BenchCore
import Glibc

/// A process's processor time so far, and how often its threads gave a processor up or lost it.
struct ProcessTimes {
    /// Microseconds in user and in kernel mode, as the kernel rounds them.
    private let user: Double
    private let system: Double
    /// Microseconds in both, as the scheduler has them.
    private let exact: Double
    private let switches: Double
    /// Of its children that have ended.
    let children: Double

    /// Nil if it is gone.
    init?(_ process: ProcessID) {
        let folder = "/proc/\(process.pid)"
        guard let text = contents(of: folder + "/stat"), let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ").map { Double($0) ?? 0 }
        guard fields.count > 14 else { return nil }
        (user, system) = (fields[11] * MachineMeter.tick, fields[12] * MachineMeter.tick)
        children = (fields[13] + fields[14]) * MachineMeter.tick
        var nanoseconds = 0.0
        var switches = 0.0
        for thread in names(in: folder + "/task") {
            let times = (contents(of: "\(folder)/task/\(thread)/schedstat") ?? "").split(separator: " ")
            nanoseconds += times.first.flatMap { Double($0) } ?? 0
            for line in (contents(of: "\(folder)/task/\(thread)/status") ?? "").split(separator: "\n")
            where line.contains("ctxt_switches") {
                switches += Double(line.filter(\.isNumber)) ?? 0
            }
        }
        exact = nanoseconds / 1000
        self.switches = switches
    }

    var total: Double { user + system }

    /// What it has spent until then.
    func add(until end: ProcessTimes, to costs: inout SpeedRecord.Costs) {
        let ticks = end.total - total
        // A kernel without the scheduler's statistics, or a thread that has ended meanwhile.
        let all = end.exact > exact ? end.exact - exact : ticks
        let share = ticks > 0 ? (end.user - user) / ticks : 0
        costs.daemonUser = all * share
        costs.daemonSystem = all * (1 - share)
        costs.switches = max(0, end.switches - switches)
    }
}
