import FUSEDevice
public import FUSEProtocol
public import FUSEServer
public import LinuxSystem
import SystemPackage

/// Requests by read(2) and replies by write(2) on `/dev/fuse`: the way that every kernel has.
public final class LegacyTransport: Transport {
    public let name = "legacy"
    public let initFlags: InitFlags = []
    private let threadCount: Int
    private let workers = Lock<DeviceWorkers?>(nil)

    /// - Parameter threads: that serve requests, each on a cloned descriptor; one at least. As many requests are under way at
    ///   once.
    public init(threads: Int) {
        threadCount = max(threads, 1)
    }

    public func prepare(_ session: Session, limits: Limits) throws(TransportError) {
        do throws(Errno) {
            let made = try DeviceWorkers(session, count: threadCount, limits: limits)
            workers.withLock { $0 = made }
        } catch {
            throw .failed(what: "cloning /dev/fuse for \(threadCount) threads", error)
        }
    }

    public func start() throws(TransportError) {
        do throws(Errno) {
            try current?.start(name: "legacy")
        } catch {
            throw .failed(what: "starting \(threadCount) threads", error)
        }
    }

    private var current: DeviceWorkers? { workers.withLock { $0 } }

    public func drain() { current?.drain() }

    public var requestsInHand: Int { current?.requestsInHand ?? 0 }

    public func stop(until deadline: Deadline) -> [String] { current?.stop(until: deadline) ?? [] }

    public var counters: [Counters] { current?.counters ?? [] }

    public var facts: TransportFacts {
        TransportFacts(threads: threadCount)
    }
}
