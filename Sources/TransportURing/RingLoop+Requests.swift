import CFUSE
import FUSEProtocol
import FUSEServer
import LinuxSystem
import Logging
import Synchronization
import SystemPackage

/// Requests, from an entry's completion to its reply.
extension RingLoop {
    func commandCompleted(_ entry: UnsafeMutablePointer<Entry>, result: CInt) {
        if unsafe entry.pointee.state == .registered {
            unsafe entry.withQueue { _ = $0.freeEntries.subtract(1, ordering: .relaxed) }
        }
        if unsafe entry.pointee.isFresh && spareCompleted(entry, result: result) { return }
        guard result >= 0 else { return unsafe entryFailed(entry, Errno(rawValue: -result)) }
        unsafe entry.pointee.state = .inHand
        unsafe entry.withQueue { $0.countFetched(in: batch) }
        if worker.draining.load(ordering: .relaxed) {
            unsafe entry.pointee.state = .held
            return
        }
        worker.inHand.add(1, ordering: .relaxed)
        unsafe serveRequest(entry)
    }

    /// ENOTCONN and ECANCELED: the connection has ended, which the side reader reports with its cause. EINTR: the
    /// registering thread is about to end. ENOENT and EINVAL mean that kernel and daemon disagree about an entry, and no
    /// client of its queue could be served for certain again.
    private func entryFailed(_ entry: UnsafeMutablePointer<Entry>, _ error: Errno) {
        unsafe entry.pointee.state = .dead
        switch error {
        case .connectionGone, .canceled, .noSuchDevice, .connectionAbort: break
        default:
            session.connectionEnded(
                .failure(unsafe "queue \(entry.pointee.queue.id): the kernel refused a ring entry: \(error.name)"))
        }
    }

    private func serveRequest(_ entry: UnsafeMutablePointer<Entry>) {
        let header = unsafe entry.pointee.message.requestHeader
        unsafe entry.pointee.opcode = Opcode(rawValue: header.opcode)
        unsafe entry.pointee.unique = header.unique
        unsafe entry.pointee.commitID = entry.pointee.message.commitID
        unsafe entry.pointee.began = MonotonicClock.now()
        clientCPU = unsafe entry.withQueue { CInt($0.id) }
        if unsafe waiting.requestTaken(onlyClients: outstanding == 0) {
            unsafe waiting.sampleEnded(at: entry.pointee.began, total: fetchedByAll())
        }
        do throws(Errno) {
            if hasPools { try unsafe entry.pointee.queue.takeBuffer(for: &entry.pointee.message) }
            let message = unsafe entry.pointee.message
            let request = try message.request()
            // Without a place for a reply's body there is none to be: whatever is written beside it does not fit.
            try unsafe dispatch(request, entry, separate: request.payload.byteCount > 0 || message.payload.isEmpty)
        } catch {
            session.log.error(unsafe "queue \(entry.pointee.queue.id): a request that does not fit into its entry")
            unsafe commit(entry, error: error)
        }
    }

    /// Has a request handled.
    ///
    /// - Parameter separate: write the reply beside the entry's payload first.
    /// - Throws: EIO for a reply that has no room; the request is not answered then.
    func dispatch(
        _ request: borrowing Request, _ entry: UnsafeMutablePointer<Entry>, separate: Bool
    ) throws(Errno) {
        let message = unsafe entry.pointee.message
        var reply = unsafe ReplyBuffer(separate ? scratch : message.payload)
        let outcome = session.dispatch(request, reply: &reply)
        let count = reply.count
        if case .reply = outcome, separate {
            // What a client reads comes out of a file, or it is not to be put into its pages.
            if message.isZeroCopied { throw .ioError }
            _ = try unsafe message.write(body: UnsafeRawBufferPointer(rebasing: scratch[..<count]).bytes)
        }
        let pending = unsafe Pending(
            entry: entry, payloadCount: request.payload.byteCount, pagesCount: request.pagesCount)
        carryOut(outcome, of: pending, replied: count)
    }

    private func fetchedByAll() -> UInt64 { worker.allQueues.reduce(0) { $0 + $1.counters.fetched } }

    /// Answers with a body of `count` bytes, which lies in the payload.
    func commit(_ entry: UnsafeMutablePointer<Entry>, count: Int, at now: UInt64 = MonotonicClock.now()) {
        if unsafe entry.pointee.opcode == .read { unsafe entry.withQueue { $0.counters.countCopied(count) } }
        unsafe entry.pointee.message.writeReply(to: entry.pointee.unique, count: count)
        unsafe commitWritten(entry, failed: false, at: now)
    }

    func commit(_ entry: UnsafeMutablePointer<Entry>, error: Errno) {
        unsafe entry.pointee.message.writeReply(to: entry.pointee.unique, error: error)
        unsafe commitWritten(entry, failed: true, at: MonotonicClock.now())
    }

    /// Answers a READ whose data, `count` bytes, was put into the client's pages.
    func commit(_ entry: UnsafeMutablePointer<Entry>, inPages count: Int) {
        unsafe entry.pointee.message.writeReply(to: entry.pointee.unique, inPages: count)
        unsafe commitWritten(entry, failed: false, at: MonotonicClock.now())
    }

    private func commitWritten(_ entry: UnsafeMutablePointer<Entry>, failed: Bool, at now: UInt64) {
        if hasPools { unsafe entry.pointee.queue.giveBuffer(of: entry.pointee.message) }
        if unsafe entry.pointee.file != nil { unsafe entry.pointee.file = nil }
        unsafe entry.pointee.state = .registered
        unsafe commitAndFetch(entry, failed: failed, at: now)
    }

    // MARK: Replies from other threads

    /// Has another thread answer.
    ///
    /// - Throws: what keeps it from that; the entry is the thread's own again.
    func postpone(_ work: DeferredWork, _ entry: UnsafeMutablePointer<Entry>) throws(Errno) {
        let unique = unsafe entry.pointee.unique
        let index = unsafe entry.pointee.index
        let worker = worker
        let queue = unsafe entry.pointee.queue
        let hasBuffer = unsafe queue.pool != nil && !entry.pointee.message.payload.isEmpty
        // Whoever waits with the last buffer holds up all others of its queue.
        if hasBuffer && queue.buffersDeferred + 1 >= queue.bufferCount { throw .noBufferSpace }
        unsafe entry.pointee.state = .deferred
        deferred += 1
        queue.deferred += 1
        if hasBuffer { queue.buffersDeferred += 1 }
        do throws(Errno) {
            do throws(Errno) {
                try unsafe makeUp(for: entry)
            } catch  where !work.dependsOnOthers {
                // It ends by itself, and its commit then serves who waits behind it.
            }
            try session.blockingWork.run(blocks: work.blocks) {
                work.run(
                    DeferredReply(unique: unique) { error, body in
                        worker.answer(DeferredAnswer(entry: index, error: error, body: body))
                    })
            }
        } catch {
            session.log.debug(unsafe "queue \(entry.pointee.queue.id): nothing more may wait: \(error.name)")
            unsafe takeBack(entry)
            throw error
        }
    }

    /// An entry's request is the thread's own again.
    private func takeBack(_ entry: UnsafeMutablePointer<Entry>) {
        let queue = unsafe entry.pointee.queue
        deferred -= 1
        queue.deferred -= 1
        if unsafe queue.pool != nil && !entry.pointee.message.payload.isEmpty { queue.buffersDeferred -= 1 }
    }

    /// Commits what other threads have answered.
    func answerDeferred() {
        guard let answers = worker.takeAnswers() else { return }
        for answer in answers {
            let entry = unsafe entries.baseAddress! + Int(answer.entry)
            unsafe takeBack(entry)
            do throws(Errno) {
                if let error = answer.error { throw error }
                unsafe commit(entry, count: try entry.pointee.message.write(body: answer.body.span.bytes))
            } catch {
                unsafe commit(entry, error: error)
            }
        }
    }
}
