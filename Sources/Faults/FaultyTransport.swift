import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem

/// A transport that does one thing wrong, seen from its session.
final class FaultyTransport: Transport {
    private let inner: any Transport
    private let fault: Fault
    private let excess = Counters(channel: .device)

    init(wrapping inner: any Transport, fault: Fault) {
        self.inner = inner
        self.fault = fault
        if fault == .miscount { for _ in 0..<100 { excess.countFetched() } }
    }

    var name: String { inner.name }
    var initFlags: InitFlags { inner.initFlags }
    var usefulFlags: InitFlags { inner.usefulFlags }
    func unavailable(without missing: InitFlags) -> TransportError { inner.unavailable(without: missing) }
    func prepare(_ session: Session, limits: Limits, offered: InitFlags) throws(TransportError) {
        try inner.prepare(session, limits: limits, offered: offered)
    }
    func start() throws(TransportError) { try inner.start() }
    func drain() { inner.drain() }
    var requestsInHand: Int { inner.requestsInHand }
    var counters: [Counters] { inner.counters + [excess] }
    var facts: TransportFacts { inner.facts }

    private var forgetsWakeUp: Bool {
        switch fault {
        case .forgetWakeUp: true
        case .stuckAtDepthOne: facts.queues.contains { $0.capacity == 1 }
        default: false
        }
    }

    func stop(until deadline: Deadline) -> [String] {
        guard forgetsWakeUp else { return inner.stop(until: deadline) }
        while !deadline.hasPassed { usleep(10_000) }
        return ["a thread of \(name) that was not told"]
    }
}
