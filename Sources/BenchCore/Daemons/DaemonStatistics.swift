import FoundationEssentials
import SystemPackage

/// What this project's daemon says of itself (`fstestkit stats MOUNTPOINT --json`): the part that the bench compares.
package struct DaemonStatistics: Codable, Sendable {
    package struct Queue: Codable, Sendable {
        package var queue: Int
        package var capacity: Int
        package var free: Int
        package var fetched: UInt64
        package var committed: UInt64
        /// Requests for each time that its thread was woken by any; 0 before the first.
        package var meanBatch: Double?
    }
    package struct Channel: Codable, Sendable {
        package var fetched: UInt64
        package var committed: UInt64
    }
    package struct Operation: Codable, Sendable {
        package var name: String
        package var queued: UInt64
        package var device: UInt64
        package var errors: UInt64
    }

    package var fetched: UInt64
    package var committed: UInt64
    package var queues: [Queue]
    package var device: Channel
    package var opcodes: [Operation]

    /// Asks the daemon through a child, which the daemon may keep waiting.
    ///
    /// - Returns: nil if there was no answer within five seconds.
    package static func ask(_ daemon: MountedDaemon, bench: Workbench) -> (DaemonStatistics, text: String)? {
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
