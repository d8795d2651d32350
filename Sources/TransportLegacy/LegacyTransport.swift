import FUSEDevice
package import FUSEProtocol
package import FUSEServer
package import LinuxSystem
import SystemPackage

/// Requests by read(2) and replies by write(2) on `/dev/fuse`: the way that every kernel has.
package final class LegacyTransport: Transport {
    package let name = "legacy"
    package let initFlags: InitFlags = []
    private let threadCount: Int
    private let workers = Lock<DeviceWorkers?>(nil)

    /// - Parameter threads: that serve requests, each on a cloned descriptor; one at least. As many requests are under way at
    ///   once.
    package init(threads: Int) {
        threadCount = max(threads, 1)
    }

    package func prepare(_ session: Session, limits: Limits, offered: InitFlags) throws(TransportError) {
        do throws(Errno) {
            let made = try DeviceWorkers(session, count: threadCount, limits: limits)
            workers.withLock { $0 = made }
        } catch {
            throw .failed(what: "cloning /dev/fuse for \(threadCount) threads", error)
        }
    }

    package func start() throws(TransportError) {
        do throws(Errno) {
            try current?.start(name: "legacy")
        } catch {
            throw .failed(what: "starting \(threadCount) threads", error)
        }
    }

    private var current: DeviceWorkers? { workers.withLock { $0 } }

    package func drain() { current?.drain() }

    package var requestsInHand: Int { current?.requestsInHand ?? 0 }

    package func stop(until deadline: Deadline) -> [String] { current?.stop(until: deadline) ?? [] }

    package var counters: [Counters] { current?.counters ?? [] }

    package var facts: TransportFacts {
        TransportFacts(threads: threadCount)
    }
}
