import CLibURing
import CLinux
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import Logging
import Synchronization
import SystemPackage

/// What a ring's thread does: it takes completions, has their requests served, and commits the replies. All of it belongs to that
/// thread, which makes it and ends it.
///
/// ``HookedRingLoop`` overrides what is not `final`.
// Safe: used by one thread; entries do not move, and completions name them by the indices that they were submitted with.
@safe
class RingLoop {
    final let worker: RingWorker
    final let session: Session
    final let ring: Ring
    /// By their indices (``Entry/index``).
    final var entries: UnsafeMutableBufferPointer<Entry>
    /// Replies to requests that have a payload are written here first: request and reply must not share memory. As long as a
    /// payload, so that what fits here fits there.
    final let scratch: UnsafeMutableRawBufferPointer
    /// Counts the times that completions were taken.
    final var batch: UInt64 = 0
    /// Requests whose replies are prepared, and not submitted yet.
    final var answered = 0
    /// Entries whose backing I/O is not there yet.
    final var outstanding = 0
    /// Of those, the ones that a thread of io_uring's is at.
    final var handedOver = 0
    /// Completions of the batch behind the one that is served.
    final var unserved = 0
    /// Entries whose reply comes from another thread.
    final var deferred = 0
    /// Requests to come before the thread takes itself to serve one client at a time (``IOPolicy``).
    private final var crowded = 0
    final var isAlone: Bool { crowded == 0 }
    // A check at run time with each change would be felt with each request; nothing is called while it changes.
    @exclusivity(unchecked) final var waiting: WaitPolicy
    /// The CPU that the last request came from.
    final var clientCPU: CInt = 0
    /// What holds for the data of requests; less than was planned if the kernel has refused something that was not demanded.
    final var payloads: PayloadPlan
    /// Payloads are found with each request.
    final let hasPools: Bool
    /// Where data lies that cannot go straight between a backing file and a client's pages; made when that comes up first.
    final var bounce: BounceFile?

    /// Requests one by one after which a thread whose requests came in company counts as alone.
    private static let crowdedFor = 64

    init(_ worker: RingWorker) throws(TransportError) {
        self.worker = worker
        session = worker.session
        unsafe waiting = WaitPolicy(canBePinned: worker.placement != nil)
        unsafe entries = unsafe RingLoop.makeEntries(of: worker.queues)
        unsafe scratch = .allocate(byteCount: worker.limits.entryPayloadSize, alignment: MemoryPage.size)
        do throws(TransportError) {
            let ring = try unsafe Ring(submissions: entries.count + 1, device: session.connection.device.rawValue)
            let payloads = try RingLoop.prepareBuffers(of: ring, for: worker)
            self.payloads = payloads
            hasPools = payloads.pool != nil
            self.ring = ring
        } catch {
            unsafe RingLoop.free(entries, scratch)
            throw error
        }
    }

    deinit {
        unsafe RingLoop.free(entries, scratch)
    }

    private static func free(
        _ entries: UnsafeMutableBufferPointer<Entry>, _ scratch: UnsafeMutableRawBufferPointer
    ) {
        unsafe entries.deinitialize()
        unsafe entries.deallocate()
        unsafe scratch.deallocate()
    }

    // MARK: Start

    /// The ring is set up; INIT is not answered yet.
    func ringIsReady() {}

    /// Whether an entry is handed to the kernel.
    func registers(_ entry: Entry) -> Bool { true }

    /// Hands all entries to the kernel.
    ///
    /// - Returns: the first refusal, if there was one. The kernel may have sent requests to the others.
    final func register() -> Result<Void, TransportError> {
        armWakeUp()
        do throws(TransportError) {
            try addQueues()
        } catch {
            return .failure(error)
        }
        for index in 0..<(unsafe entries.count) {
            let entry = unsafe entries[index]
            if registers(entry) { prepareRegistration(of: entry) }
        }
        do throws(Errno) {
            try ring.submit()
        } catch {
            return .failure(.failed(what: "registering entries", error))
        }
        // A refused REGISTER has completed already; the completions stay for `serve`.
        for number in 0..<ring.completionCount {
            let completion = ring.completion(number)
            guard completion.res < 0, UserData(rawValue: completion.user_data)?.kind == .command else { continue }
            return .failure(.failed(what: "registering an entry of the ring", Errno(rawValue: -completion.res)))
        }
        return .success(())
    }

    // MARK: The loop

    /// Takes completions until the session stops.
    final func serve() {
        while true {
            let count = ring.completionCount
            if count > 0 {
                handle(count)
                continue
            }
            answerDeferred()
            if shallEnd() {
                // What is answered shall go out.
                try? ring.submit()
                return
            }
            do throws(Errno) {
                if unsafe waiting.mode == .polling { try poll() }
                try ring.submitAndWait()
                settle()
            } catch .interrupted {
                // Woken.
                settle()
            } catch .resourceTemporarilyUnavailable, .resourceBusy {
                // Completions must be taken first, which happens next; or the kernel has no memory, which takes a moment.
                if !ring.hasCompletions { usleep(1_000) }
            } catch {
                return session.connectionEnded(.failure("\(worker.name): io_uring_enter: \(error)"))
            }
        }
    }

    /// The session stops, and nobody owes this thread anything.
    func shallEnd() -> Bool { worker.stopping.load(ordering: .acquiring) && outstanding + deferred == 0 }

    /// Replies that are submitted are no longer in hand. Before that they are: a session that drains cuts the connection once nothing
    /// is in hand, and the client would lose its reply.
    private final func settle() {
        guard answered > 0, ring.isSubmitted else { return }
        worker.inHand.subtract(answered, ordering: .releasing)
        answered = 0
    }

    /// Sends what is prepared, and watches for the next request. On the client's own core that would keep it from coming.
    private final func poll() throws(Errno) {
        guard clinux_cpu() != clientCPU else { return }
        try ring.submit()
        let end = MonotonicClock.now() + WaitPolicy.limit
        while !ring.hasCompletions && MonotonicClock.now() < end { clinux_relax() }
    }

    private final func handle(_ count: Int) {
        batch &+= 1
        if count > 1 || outstanding > 0 {
            crowded = RingLoop.crowdedFor
        } else if crowded > 0 {
            crowded -= 1
        }
        worker.placement?.set(pinned: unsafe waiting.mode == .pinned)
        for number in 0..<count {
            let completion = ring.completion(number)
            unserved = count - 1 - number
            guard let data = UserData(rawValue: completion.user_data) else { continue }
            switch data.kind {
            case .command: unsafe commandCompleted(entries.baseAddress! + Int(data.entry), result: completion.res)
            case .backing: unsafe backingCompleted(entries.baseAddress! + Int(data.entry), result: completion.res)
            case .wakeUp: armWakeUp()
            case .setUp: break
            case .hook: session.log.debug("a hook's command completed with \(completion.res)")
            }
        }
        ring.advance(count)
    }

    /// Has the ring read the eventfd: its completion wakes the thread.
    private final func armWakeUp() {
        unsafe cliburing_prep_backing(
            ring.nextSubmission(), IORING_OP_READ.rawValue, worker.wakeUp.descriptor.rawValue, worker.wakeUpValue, 8, 0,
            0, UserData(.wakeUp).rawValue)
    }

    /// Prepares the answer that is in the entry, and with it the wait for the entry's next request. It goes out with the batch.
    func commitAndFetch(_ entry: UnsafeMutablePointer<Entry>, failed: Bool, at now: UInt64) {
        let data = unsafe UserData(.command, entry: entry.pointee.index)
        unsafe entry.withQueue { queue in
            queue.freeEntries.add(1, ordering: .relaxed)
            unsafe prepareCommit(entry.pointee.commitID, on: queue.id, data)
            unsafe queue.counters.countCommitted(
                entry.pointee.opcode, nanoseconds: now - entry.pointee.began, failed: failed)
        }
        answered += 1
    }

    /// Prepares COMMIT_AND_FETCH.
    final func prepareCommit(_ commitID: UInt64, on queue: UInt16, _ data: UserData) {
        let submission = unsafe ring.nextSubmission()
        unsafe cliburing_prep_fuse(
            submission, 0, FuseCommand.commitAndFetch, queue, commitID, nil, data.rawValue)
        if payloads.registration != .off { unsafe cliburing_set_registered_pool(submission, poolSlot(of: queue)) }
    }

    /// Prepares REGISTER.
    final func prepareRegister(_ entry: Entry, _ data: UserData) {
        let submission = unsafe ring.nextSubmission()
        let queue = entry.queue.id
        unsafe cliburing_prep_fuse(
            submission, 0, FuseCommand.register, queue, 0, entry.writeVectors(), data.rawValue)
        if payloads.registration != .off { unsafe cliburing_set_registered_pool(submission, poolSlot(of: queue)) }
        if payloads.zeroCopy != .off { unsafe cliburing_set_pages_slot(submission, pagesSlot(of: entry.index)) }
    }

    /// Reads into the client's pages of a READ.
    func submitPages(_ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, offset: Int64, count: Int) {
        unsafe submit(entry, file, opcode: IORING_OP_READ_FIXED, offset: offset, count: count, done: 0, flags: 0)
    }

    /// Where the kernel puts the pages of the clients whose requests an entry holds.
    func pagesSlot(of entry: UInt32) -> UInt16 { UInt16(worker.queues.count + Int(entry)) }
}
