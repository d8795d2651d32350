import CLinux
import FUSEServer
import LinuxSystem
import Logging
import Synchronization
import SystemPackage

/// One ring and its thread, which serve one or more of the kernel's queues: what other threads see of them. What the thread does is
/// ``RingLoop``'s.
// Safe: the ring, which alone writes to `wakeUpValue`, ends before this does.
@safe
final class RingWorker: @unchecked Sendable {
    let session: Session
    let queues: [KernelQueue]
    /// Those of all rings.
    let allQueues: [KernelQueue]
    let limits: Limits
    /// Of the session.
    let ringCount: Int
    /// What was planned, and what came of it.
    let payloads: PayloadPlan
    private let settled: Lock<PayloadPlan>
    /// Nil if the thread runs anywhere. The thread's own.
    let placement: Placement?
    private let hook: (any RingHook)?

    private let ready = Promise<Result<Void, TransportError>>()
    private let go = Promise<Bool>()
    private let registered = Promise<Result<Void, TransportError>>()
    let draining = Atomic<Bool>(false)
    let stopping = Atomic<Bool>(false)
    /// Requests taken and not yet answered.
    let inHand = Atomic<Int>(0)
    let wakeUp: EventDescriptor
    /// Where the ring reads the eventfd to: it must outlive the ring.
    let wakeUpValue = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    private let answers = Lock<[DeferredAnswer]>([])
    /// There are answers: spares the thread the lock.
    private let hasAnswers = Atomic<Bool>(false)

    /// - Parameters:
    ///   - ringCount: of the session: its queues go to the rings by turns.
    ///   - cpu: where the thread runs (``Placement``); nil for anywhere.
    ///   - hook: makes the ring misbehave; nil for one that does not.
    init(
        _ session: Session, queues: [KernelQueue], of allQueues: [KernelQueue], ringCount: Int, limits: Limits,
        payloads: PayloadPlan, cpu: Int?, hook: (any RingHook)?
    ) throws(Errno) {
        self.session = session
        self.ringCount = ringCount
        self.payloads = payloads
        settled = Lock(payloads)
        self.queues = queues
        self.allQueues = allQueues
        self.limits = limits
        self.hook = hook
        placement = cpu.map { Placement(cpu: $0) }
        wakeUp = try EventDescriptor()
    }

    deinit {
        unsafe wakeUpValue.deallocate()
    }

    /// What the ring is called in messages.
    var name: String { "queue \(queues[0].id)" }

    // MARK: Called by the transport

    /// Starts the thread and waits until its ring is set up.
    func start() throws(TransportError) -> ServerThread {
        try hook?.threadStarts(queues: queues.map(\.id))
        let thread: ServerThread
        do throws(Errno) {
            thread = try ServerThread.start(name: "ring-\(queues[0].id)") { self.run() }
        } catch {
            throw .failed(what: "starting the thread of \(name)", error)
        }
        try ready.wait().get()
        return thread
    }

    /// Lets the thread register its entries (INIT is answered), or end.
    func proceed(_ register: Bool) { go.fulfill(register) }

    /// Waits until all entries are registered.
    func waitUntilRegistered() throws(TransportError) { try registered.wait().get() }

    /// The thread is woken, so that what it has submitted no longer counts as in hand (``RingLoop/settle()``).
    func drain() {
        draining.store(true, ordering: .releasing)
        wakeUp.signal()
    }

    var requestsInHand: Int { inHand.load(ordering: .acquiring) }

    func stop() {
        stopping.store(true, ordering: .releasing)
        go.fulfill(false)
        wakeUp.signal()
    }

    /// What holds for the ring.
    var settledPayloads: PayloadPlan { settled.withLock { $0 } }

    // MARK: The thread

    func payloadsAreSettled(_ plan: PayloadPlan) { settled.withLock { $0 = plan } }

    private func run() {
        if placement?.pin() == false {
            session.log.debug("\(name) is served from any CPU: its own is not to be had")
        }
        let loop: RingLoop
        do throws(TransportError) {
            if let hook { loop = try HookedRingLoop(self, hook) } else { loop = try RingLoop(self) }
        } catch {
            return ready.fulfill(.failure(error))
        }
        loop.ringIsReady()
        ready.fulfill(.success(()))
        guard go.wait() else { return }
        registered.fulfill(loop.register())
        loop.serve()
    }

    // MARK: Replies from other threads

    /// Leaves the reply to a deferred request with the ring's thread.
    func answer(_ answer: DeferredAnswer) {
        answers.withLock { $0.append(answer) }
        hasAnswers.store(true, ordering: .releasing)
        wakeUp.signal()
    }

    /// What was left since the last time; nil for nothing.
    func takeAnswers() -> [DeferredAnswer]? {
        guard hasAnswers.load(ordering: .relaxed), hasAnswers.exchange(false, ordering: .acquiring) else { return nil }
        return answers.withLock { list in
            let taken = list
            if !taken.isEmpty { list.removeAll() }
            return taken
        }
    }
}
