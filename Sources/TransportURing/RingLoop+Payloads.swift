import CFUSE
import CLibURing
import FUSEServer
import Glibc
import LinuxSystem
import Logging
import SystemPackage

/// Where the payloads of requests lie (Linux 7.3, protocol 7.46): queues with pools, pools that are registered with io_uring, and
/// a place for each entry where the kernel can put the pages of clients.
///
/// A ring's table of buffers has the pools of its queues first, then a place for each entry, by its index.
extension RingLoop {
    /// What the kernel's table can hold (`IORING_MAX_REG_BUFFERS`).
    private static let largestTable = 1 << 14

    /// Places in the table of buffers. Spare entries take one each, too.
    static func tableSize(queues: [KernelQueue]) -> Int {
        min(largestTable, queues.count + queues.reduce(0) { $0 + $1.depth } + BlockingWork.limit)
    }

    /// Makes the table of buffers, and registers the pools, as far as that is wanted and to be had.
    static func prepareBuffers(of ring: borrowing Ring, for worker: RingWorker) throws(TransportError) -> PayloadPlan {
        var plan = worker.payloads
        guard plan.pool != nil, plan.registration != .off || plan.zeroCopy != .off else { return plan }
        do throws(Errno) {
            try ring.makeBufferTable(count: tableSize(queues: worker.queues))
        } catch {
            let what = "registering a table of buffers with io_uring"
            if plan.registration == .demanded || plan.zeroCopy == .demanded { throw .failed(what: what, error) }
            plan.registration = .off
            plan.zeroCopy = .off
            plan.reason = "\(what): \(error.name)"
            return plan
        }
        guard plan.registration != .off else { return plan }
        do throws(Errno) {
            for (slot, queue) in worker.queues.enumerated() {
                if let pool = unsafe queue.pool { try unsafe ring.register(pool, at: slot) }
            }
        } catch {
            let limit = "raise the limit on locked memory (ulimit -l), or make the pool smaller"
            if plan.registration == .demanded {
                throw .unavailable(cause: "io_uring refuses to register the pool: \(error.name)", remedy: limit)
            }
            plan.registration = .off
            plan.reason = "the pool is not registered: \(error.name); \(limit)"
        }
        return plan
    }

    /// Where the table has the pool of a queue, any queue's.
    func poolSlot(of queue: UInt16) -> UInt16 { queue / UInt16(worker.ringCount) }

    /// Makes the queues and gives them their pools, where they have some; others are made by their first entry.
    ///
    /// What the kernel refuses here it has not begun: a queue that it does not make with zero copy is made without.
    func addQueues() throws(TransportError) {
        guard payloads.pool != nil else { return }
        if payloads.zeroCopy != .off {
            if let refusal = try addQueues(flags: CFUSE_URING_ZERO_COPY) {
                // Of a user namespace's root, too.
                guard refusal == .notPermitted else { throw .failed(what: "making a queue with zero copy", refusal) }
                let cause = "zero copy takes CAP_SYS_ADMIN of the whole machine"
                if payloads.zeroCopy == .demanded { throw .unavailable(cause: cause, remedy: "run the daemon as root") }
                payloads.zeroCopy = .off
                payloads.reason = cause
            }
        }
        if payloads.zeroCopy == .off, let refusal = try addQueues(flags: 0) {
            throw .failed(what: "making a queue with a pool", refusal)
        }
        let refusal = try unsafe setUp(FuseCommand.addBufferPool) { queue, submission in
            guard let pool = unsafe queue.pool else { return }
            unsafe cliburing_set_pool(submission, pool.baseAddress, UInt32(pool.count))
            if payloads.registration != .off {
                unsafe cliburing_set_registered_pool(submission, poolSlot(of: queue.id))
            }
        }
        if let refusal { throw .failed(what: "giving a queue its pool", refusal) }
        worker.payloadsAreSettled(payloads)
    }

    private func addQueues(flags: UInt64) throws(TransportError) -> Errno? {
        try unsafe setUp(FuseCommand.addQueue) { _, submission in unsafe cliburing_set_queue_flags(submission, flags) }
    }

    /// Has the kernel do a command for each queue, at once.
    ///
    /// - Returns: the first refusal.
    private func setUp(
        _ command: UInt32, _ body: (KernelQueue, UnsafeMutablePointer<io_uring_sqe>) -> Void
    ) throws(TransportError) -> Errno? {
        let before = ring.completionCount
        for queue in worker.queues {
            let submission = unsafe ring.nextSubmission()
            let data = UserData(.setUp, entry: UInt32(queue.id))
            unsafe cliburing_prep_fuse(submission, 0, command, queue.id, 0, nil, data.rawValue)
            unsafe body(queue, submission)
        }
        do throws(Errno) {
            try ring.submit()
        } catch {
            throw .failed(what: "setting up queues", error)
        }
        // The completions stay for `serve`.
        for number in before..<ring.completionCount {
            let completion = ring.completion(number)
            guard completion.res < 0, UserData(rawValue: completion.user_data)?.kind == .setUp else { continue }
            return Errno(rawValue: -completion.res)
        }
        return nil
    }
}
