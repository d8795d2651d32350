import CFUSE
import CLibURing
import CLinux
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import Logging
import Synchronization
import SystemPackage

/// One ring and its thread, which serve one or more of the kernel's queues.
///
/// Everything but the atomics, the inbox and the promises belongs to the thread.
final class RingWorker: @unchecked Sendable {
    let session: Session
    let queues: [KernelQueue]
    /// Those of all rings.
    private let allQueues: [KernelQueue]
    /// Nil if the thread runs anywhere.
    let placement: Placement?

    // Shared with the thread that drives the transport.
    private let ready = Promise<Result<Void, TransportError>>()
    private let go = Promise<Bool>()
    private let registered = Promise<Result<Void, TransportError>>()
    private let draining = Atomic<Bool>(false)
    private let stopping = Atomic<Bool>(false)
    private let inHand = Atomic<Int>(0)
    private let wakeUp: EventDescriptor
    /// Replies of deferred requests, left by other threads.
    private let inbox = Lock<[Answer]>([])
    /// The inbox is not empty: spares the thread the lock.
    private let hasAnswers = Atomic<Bool>(false)

    // The thread's own.
    var entries: UnsafeMutableBufferPointer<Entry> = .init(start: nil, count: 0)
    /// Replies to requests that have a payload are written here first: request and reply must not share memory. As long as a
    /// payload, so that what fits here fits there.
    private let scratch: UnsafeMutableRawBufferPointer
    private let wakeUpValue = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    /// Counts the times that completions were taken.
    private var batch: UInt64 = 0
    /// Requests whose replies are prepared, and not submitted yet.
    private var answered = 0
    /// Entries whose backing I/O is not there yet.
    var outstanding = 0
    /// Entries whose reply comes from another thread.
    var deferred = 0
    /// Requests to come before the thread takes itself to serve one client at a time (``IOPolicy``).
    private var crowded = 0
    var isAlone: Bool { crowded == 0 }
    private var waiting: WaitPolicy
    /// The CPU that the last request came from.
    private var clientCPU: CInt = 0

    struct Answer: Sendable {
        let entry: UInt32
        let error: Errno?
        let body: [UInt8]
    }

    /// Requests one by one after which a thread whose requests came in company counts as alone.
    private static let crowdedFor = 64

    /// - Parameter cpu: where the thread runs (``Placement``); nil for anywhere.
    init(
        _ session: Session, queues: [KernelQueue], of allQueues: [KernelQueue], limits: Limits, cpu: Int?
    ) throws(Errno) {
        self.session = session
        self.queues = queues
        self.allQueues = allQueues
        placement = cpu.map { Placement(cpu: $0) }
        waiting = WaitPolicy(canBePinned: placement != nil)
        wakeUp = try EventDescriptor()
        scratch = .allocate(byteCount: limits.entryPayloadSize, alignment: MemoryPage.size)
    }

    deinit {
        scratch.deallocate()
        wakeUpValue.deallocate()
        entries.deinitialize()
        entries.deallocate()
    }

    // MARK: Called by the transport

    /// Starts the thread and waits until its ring is set up.
    func start() throws(TransportError) -> ServerThread {
        try refuseToStart()
        let thread: ServerThread
        do throws(Errno) {
            thread = try ServerThread.start(name: "ring-\(queues[0].id)") { self.run() }
        } catch {
            throw .failed(what: "starting the thread of queue \(queues[0].id)", error)
        }
        try ready.wait().get()
        return thread
    }

    /// Lets the thread register its entries (INIT is answered), or end.
    func proceed(_ register: Bool) { go.fulfill(register) }

    /// Waits until all entries are registered.
    func waitUntilRegistered() throws(TransportError) { try registered.wait().get() }

    /// The thread is woken, so that what it has submitted no longer counts as in hand (``settle(_:)``).
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

    // MARK: The thread

    private func run() {
        if placement?.pin() == false {
            session.log.debug("queue \(queues[0].id) is served from any CPU: its own is not to be had")
        }
        let count = queues.reduce(0) { $0 + $1.depth }
        makeEntries(count)
        let ring: Ring
        do throws(TransportError) {
            ring = try Ring(submissions: count + 1, device: session.connection.device.rawValue)
        } catch {
            return ready.fulfill(.failure(error))
        }
        registerTooEarly(ring)
        ready.fulfill(.success(()))
        guard go.wait() else { return }
        register(ring)
        serve(ring)
    }

    private func register(_ ring: borrowing Ring) {
        armWakeUp(ring)
        for index in entries.indices where !withholds(entries[index], at: index) {
            prepareRegistration(of: entries[index], UInt32(index), ring)
        }
        do throws(Errno) {
            try ring.submit()
        } catch {
            return registered.fulfill(.failure(.failed(what: "registering entries", error)))
        }
        registered.fulfill(firstRefusal(ring))
    }

    /// A refused REGISTER has completed already; the completions stay for ``serve(_:)``, which may find requests there.
    private func firstRefusal(_ ring: borrowing Ring) -> Result<Void, TransportError> {
        for index in 0..<ring.completionCount {
            let completion = ring.completion(index)
            guard completion.res < 0, UserData(rawValue: completion.user_data)?.kind == .command else { continue }
            return .failure(.failed(what: "registering an entry of the ring", Errno(rawValue: -completion.res)))
        }
        return .success(())
    }

    /// Takes completions until the session stops.
    private func serve(_ ring: borrowing Ring) {
        while true {
            let count = ring.completionCount
            if count > 0 {
                handle(count, ring)
                continue
            }
            answerDeferred(ring)
            if session.configuration.fault != nil && givesUp() { return }
            if stopping.load(ordering: .acquiring) && outstanding + deferred == 0
                && session.configuration.fault != .forgetWakeUp
            {
                // What is answered shall go out.
                try? ring.submit()
                return
            }
            do throws(Errno) {
                if waiting.way == .polling { try poll(ring) }
                try ring.submitAndWait()
                settle(ring)
            } catch .interrupted {
                // Woken.
                settle(ring)
            } catch .resourceTemporarilyUnavailable, .resourceBusy {
                // Completions must be taken first, which happens next; or the kernel has no memory, which takes a moment.
                if !ring.hasCompletions { usleep(1_000) }
            } catch {
                return session.connectionEnded(.failure("queue \(queues[0].id): io_uring_enter: \(error)"))
            }
        }
    }

    /// Replies that are submitted are no longer in hand. Before that they are: a session that drains cuts the connection once nothing
    /// is in hand, and the client would lose its reply.
    private func settle(_ ring: borrowing Ring) {
        guard answered > 0, ring.isSubmitted else { return }
        inHand.subtract(answered, ordering: .releasing)
        answered = 0
    }

    /// Sends what is prepared, and watches for the next request. On the client's own core that would keep it from coming.
    private func poll(_ ring: borrowing Ring) throws(Errno) {
        guard clinux_cpu() != clientCPU else { return }
        try ring.submit()
        let end = Clock.now() + WaitPolicy.limit
        while !ring.hasCompletions && Clock.now() < end { clinux_relax() }
    }

    private func fetchedByAll() -> UInt64 { allQueues.reduce(0) { $0 + $1.counters.fetched } }

    private func handle(_ count: Int, _ ring: borrowing Ring) {
        batch &+= 1
        if count > 1 || outstanding > 0 {
            crowded = RingWorker.crowdedFor
        } else if crowded > 0 {
            crowded -= 1
        }
        placement?.set(pinned: waiting.way == .pinned)
        for index in 0..<count {
            let completion = ring.completion(index)
            guard let data = UserData(rawValue: completion.user_data) else { continue }
            switch data.kind {
            case .command: commandCompleted(data.entry, result: completion.res, ring)
            case .backing: backingCompleted(data.entry, result: completion.res, ring)
            case .wakeUp: armWakeUp(ring)
            case .fault: session.log.debug("a command that was wrong on purpose completed with \(completion.res)")
            }
        }
        ring.advance(count)
    }

    private func commandCompleted(_ index: UInt32, result: CInt, _ ring: borrowing Ring) {
        let entry = entries.baseAddress! + Int(index)
        if entry.pointee.state == .registered { entry.pointee.queue.freeEntries.subtract(1, ordering: .relaxed) }
        if entry.pointee.isFresh && spareCompleted(entry, result: result) { return }
        guard result >= 0 else { return entryFailed(entry, Errno(rawValue: -result)) }
        entry.pointee.state = .inHand
        entry.pointee.queue.countFetched(in: batch)
        if draining.load(ordering: .relaxed) {
            entry.pointee.state = .held
            return
        }
        inHand.add(1, ordering: .relaxed)
        serveRequest(entry, index, ring)
    }

    /// ENOTCONN and ECANCELED: the connection has ended, which the side reader reports with its cause. EINTR: the
    /// registering thread is about to end. ENOENT and EINVAL mean that kernel and daemon disagree about an entry, and no
    /// client of its queue could be served for certain again.
    private func entryFailed(_ entry: UnsafeMutablePointer<Entry>, _ error: Errno) {
        entry.pointee.state = .dead
        switch error {
        case .connectionGone, .canceled, .noSuchDevice, .connectionAbort: break
        default:
            session.connectionEnded(
                .failure("queue \(entry.pointee.queue.id): the kernel refused a ring entry: \(error.name)"))
        }
    }

    private func serveRequest(_ entry: UnsafeMutablePointer<Entry>, _ index: UInt32, _ ring: borrowing Ring) {
        let message = entry.pointee.message
        let header = message.requestHeader
        entry.pointee.opcode = Opcode(rawValue: header.opcode)
        entry.pointee.unique = header.unique
        entry.pointee.commitID = message.commitID
        entry.pointee.began = Clock.now()
        clientCPU = CInt(entry.pointee.queue.id)
        waiting.requestTaken(onlyClients: outstanding == 0, at: entry.pointee.began, total: fetchedByAll())
        do throws(Errno) {
            let request = try message.request()
            let separate = request.payload.byteCount > 0
            var reply = ReplyBuffer(separate ? scratch : message.payload)
            let outcome = session.dispatch(request, reply: &reply)
            let count = reply.count
            if case .reply = outcome, separate {
                _ = try message.write(body: UnsafeRawBufferPointer(rebasing: scratch[..<count]).bytes)
            }
            carryOut(outcome, replied: count, payloadCount: request.payload.byteCount, entry, index, ring)
        } catch {
            session.log.error("queue \(entry.pointee.queue.id): a request that is longer than its entry")
            commit(entry, index, error: error, count: 0, ring)
        }
    }

    private func carryOut(
        _ outcome: Outcome, replied: Int, payloadCount: Int, _ entry: UnsafeMutablePointer<Entry>, _ index: UInt32,
        _ ring: borrowing Ring
    ) {
        switch outcome {
        case .reply: commit(entry, index, error: nil, count: replied, ring)
        case .failure(let error): commit(entry, index, error: error, count: 0, ring)
        // An entry gets its next request only by committing this one, whether or not it takes a reply.
        case .noReply: commit(entry, index, error: nil, count: 0, ring)
        case .read(let file, let offset, let count):
            read(entry, index, file, offset: offset, count: count, ring)
        case .write(let file, let offset, let flags):
            write(entry, index, file, offset: offset, count: payloadCount, flags: flags, ring)
        case .fsync(let file, let dataOnly): synchronize(entry, index, file, dataOnly: dataOnly, ring)
        case .deferred(let work): postpone(work, entry, index, ring)
        }
    }

    /// Prepares the answer, and with it the wait for the entry's next request. It goes out with the batch.
    func commit(
        _ entry: UnsafeMutablePointer<Entry>, _ index: UInt32, error: Errno?, count: Int, at now: UInt64 = Clock.now(),
        _ ring: borrowing Ring
    ) {
        if let error {
            entry.pointee.message.writeReply(to: entry.pointee.unique, error: error)
        } else {
            entry.pointee.message.writeReply(to: entry.pointee.unique, count: count)
        }
        entry.pointee.file = nil
        entry.pointee.state = .registered
        let queue = entry.pointee.queue
        if session.configuration.fault != nil && !misbehave(beforeCommitOf: entry.pointee, ring) { return }
        queue.freeEntries.add(1, ordering: .relaxed)
        cliburing_prep_fuse(
            ring.nextSubmission(), 0, FuseCommand.commitAndFetch, queue.id, entry.pointee.commitID, nil,
            UserData(.command, entry: index).rawValue)
        queue.counters.countCommitted(
            entry.pointee.opcode, nanoseconds: now - entry.pointee.began, failed: error != nil)
        answered += 1
        if session.configuration.fault != nil { misbehave(afterCommitOf: entry.pointee, index, ring) }
    }

    // MARK: Replies from other threads

    private func postpone(
        _ work: DeferredWork, _ entry: UnsafeMutablePointer<Entry>, _ index: UInt32, _ ring: borrowing Ring
    ) {
        let unique = entry.pointee.unique
        entry.pointee.state = .deferred
        deferred += 1
        entry.pointee.queue.deferred += 1
        do throws(Errno) {
            do throws(Errno) {
                try makeUp(for: entry, ring)
            } catch  where !work.dependsOnOthers {
                // It ends by itself, and its commit then serves who waits behind it.
            }
            try session.blockingWork.run { [self] in
                work.run(
                    DeferredReply(unique: unique) { [self] error, body in
                        inbox.withLock { $0.append(Answer(entry: index, error: error, body: body)) }
                        hasAnswers.store(true, ordering: .releasing)
                        wakeUp.signal()
                    })
            }
        } catch {
            session.log.debug("queue \(entry.pointee.queue.id): nothing more may wait: \(error.name)")
            takeBack(entry)
            commit(entry, index, error: work.refuse(), count: 0, ring)
        }
    }

    /// An entry's request is the thread's own again.
    private func takeBack(_ entry: UnsafeMutablePointer<Entry>) {
        deferred -= 1
        entry.pointee.queue.deferred -= 1
    }

    private func answerDeferred(_ ring: borrowing Ring) {
        guard hasAnswers.load(ordering: .relaxed), hasAnswers.exchange(false, ordering: .acquiring) else { return }
        let answers = inbox.withLock { box in
            let answers = box
            if !answers.isEmpty { box.removeAll() }
            return answers
        }
        for answer in answers {
            let entry = entries.baseAddress! + Int(answer.entry)
            takeBack(entry)
            do throws(Errno) {
                if let error = answer.error { throw error }
                let count = try entry.pointee.message.write(body: answer.body.span.bytes)
                commit(entry, answer.entry, error: nil, count: count, ring)
            } catch {
                commit(entry, answer.entry, error: error, count: 0, ring)
            }
        }
    }

    /// Has the ring read the eventfd: its completion wakes the thread.
    private func armWakeUp(_ ring: borrowing Ring) {
        cliburing_prep_backing(
            ring.nextSubmission(), IORING_OP_READ.rawValue, wakeUp.descriptor.rawValue, wakeUpValue, 8, 0, 0,
            UserData(.wakeUp).rawValue)
    }
}

/// `enum fuse_uring_cmd`.
enum FuseCommand {
    static let register: UInt32 = 1
    static let commitAndFetch: UInt32 = 2
}
