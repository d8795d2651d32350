import BenchCore
import FoundationEssentials
import SystemPackage

/// What this project's daemon says of itself (`fstestkit stats MOUNTPOINT --json`): the part that the bench compares.
struct DaemonStatistics: Codable, Sendable {
    struct Queue: Codable, Sendable {
        var queue: Int
        var capacity: Int
        var free: Int
        var fetched: UInt64
        var committed: UInt64
    }
    struct Channel: Codable, Sendable {
        var fetched: UInt64
        var committed: UInt64
    }
    struct Operation: Codable, Sendable {
        var name: String
        var queued: UInt64
        var device: UInt64
        var errors: UInt64
    }

    var fetched: UInt64
    var committed: UInt64
    var queues: [Queue]
    var device: Channel
    var opcodes: [Operation]

    /// Asks the daemon through a child, which the daemon may keep waiting.
    ///
    /// - Returns: nil if there was no answer within five seconds.
    static func ask(_ daemon: MountedDaemon, bench: Workbench) -> (DaemonStatistics, text: String)? {
        let file = FilePath(daemon.mountPoint.string + ".stats")
        Evidence.remove(file)
        guard
            let child = try? bench.spawn(
                [bench.program, "stats", daemon.mountPoint.string, "--json"], output: file)
        else { return nil }
        guard child.wait(bench.pace(.seconds(5)))?.isSuccess == true else {
            child.kill()
            return nil
        }
        let text = child.output
        guard let statistics = try? JSONDecoder().decode(DaemonStatistics.self, from: Data(text.utf8)) else {
            return nil
        }
        return (statistics, text)
    }
}
