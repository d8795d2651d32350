package import FUSEServer
package import LinuxSystem
import Synchronization
package import SystemPackage

/// Threads that serve `/dev/fuse`, each on a descriptor of its own.
package final class DeviceWorkers: Sendable {
    private let session: Session
    private let channels: [DeviceChannel]
    private let threads = Lock<[ServerThread]>([])
    private let stopping = Atomic<Bool>(false)

    /// - Parameter count: threads. The first one uses the mount's own descriptor, the others clones of it.
    /// - Throws: EMFILE when there are not enough descriptors.
    package init(_ session: Session, count: Int, limits: Limits) throws(Errno) {
        self.session = session
        var channels: [DeviceChannel] = []
        for index in 0..<count {
            let descriptor =
                index == 0
                ? DeviceDescriptor(of: session.connection) : try DeviceDescriptor(cloning: session.connection)
            channels.append(try DeviceChannel(session, descriptor: descriptor, limits: limits))
        }
        self.channels = channels
    }

    /// - Throws: EAGAIN when there are not enough threads; those that were started are stopped with the rest.
    package func start(name: String) throws(Errno) {
        for (index, channel) in channels.enumerated() {
            let thread = try ServerThread.start(name: "\(name)-\(index)") { [self] in
                channel.serve { stopping.load(ordering: .acquiring) }
            }
            threads.withLock { $0.append(thread) }
        }
    }

    /// Leaves new requests unanswered.
    package func drain() {
        for channel in channels { channel.drain() }
    }

    package var requestsInHand: Int { channels.reduce(0) { $0 + $1.requestsInHand } }

    /// - Returns: the names of threads that did not end in time.
    package func stop(until deadline: Deadline) -> [String] {
        stopping.store(true, ordering: .releasing)
        return ServerThread.join(threads.withLock { $0 }, until: deadline).map(\.name)
    }

    package var counters: [Counters] { channels.map(\.counters) }
}
