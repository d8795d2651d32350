import CFUSE
package import FUSEProtocol
import LinuxSystem
package import Logging
import Synchronization
package import SystemPackage

/// The daemon's side of a connection: negotiates, hands requests to the filesystem, and stops.
package final class Session: Sendable {
    /// What the session asks of the kernel, apart from what transport and filesystem want.
    package struct Configuration: Sendable {
        /// The largest WRITE's data in bytes; rounded down to a multiple of 4,096.
        package var maxWrite = 1 << 20
        /// Background requests that may be under way, and the count at which the kernel slows writers down.
        package var maxBackground: UInt16 = 64
        /// Seconds after which the kernel aborts a connection over one late request; 0 for never.
        package var requestTimeout: UInt16 = 0
        /// Seconds that requests in hand get when the session stops; its threads get a third of that on top.
        package var stopTimeout = 3.0
        /// Has the session do something wrong.
        package var hook: (any SessionHook)?

        package init() {}
    }

    package let connection: Connection
    package let fileSystem: any FileSystem
    package let configuration: Configuration
    package let log: Logger
    /// For work that outlives its request's turn.
    package let blockingWork = BlockingWork()
    /// Readable when `cause` was set.
    let ended: EventDescriptor
    let statisticsListener = Lock<StatisticsListener?>(nil)
    /// The first reason to stop; later ones are its consequences.
    private let cause = Lock<StopCause?>(nil)
    private let state = Lock<State>(.mounted)
    /// Requests answered on `/dev/fuse` by other threads than the ones that took them.
    private let deferredCounters = Lock(Counters(channel: .device))

    /// - Throws: EMFILE when there is no descriptor left.
    package init(
        _ connection: Connection, fileSystem: any FileSystem, configuration: Configuration, log: Logger
    ) throws(Errno) {
        self.connection = configuration.hook?.connection(connection) ?? connection
        self.fileSystem = configuration.hook?.fileSystem(fileSystem) ?? fileSystem
        self.configuration = configuration
        self.log = log
        ended = try EventDescriptor()
    }

    /// The life of a session.
    package enum State: String, Sendable {
        case mounted, negotiating, running, stopping, stopped
    }

    /// The one place that changes the state.
    func transition(to next: State, because cause: String) {
        let previous = state.withLock { state in
            defer { state = next }
            return state
        }
        log.debug("\(previous) -> \(next): \(cause)")
    }

    /// Reports, on any thread, that the session cannot go on. The first report counts.
    package func connectionEnded(_ cause: StopCause) {
        let first = self.cause.withLock { current in
            defer { current = current ?? cause }
            return current == nil
        }
        if first { ended.signal() }
    }

    /// Why the connection ended, if it has.
    var endCause: StopCause? { cause.withLock { $0 } }

    /// Has the filesystem handle a request that a transport took.
    ///
    /// - Parameter reply: must not share memory with the request.
    package func dispatch(_ request: borrowing Request, reply: inout ReplyBuffer) -> Outcome {
        fileSystem.dispatch(request, reply: &reply)
    }

    /// Counts a request that was answered on `/dev/fuse` by another thread than the one that took it.
    package func countDeferred(_ opcode: Opcode, nanoseconds: UInt64, failed: Bool) {
        deferredCounters.withLock { $0.countCommitted(opcode, nanoseconds: nanoseconds, failed: failed) }
    }

    /// All counters of a session that runs over `transport`.
    package func counters(of transport: any Transport) -> [Counters] {
        transport.counters + [deferredCounters.withLock { $0 }]
    }
}
