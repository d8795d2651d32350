import CLibURing
import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage

/// One io_uring, used by the thread that made it.
// Safe: what it points to is made by `init` and let go by `deinit` alone.
@safe
struct Ring: ~Copyable {
    private let ring: UnsafeMutablePointer<io_uring>
    /// An SQE of no ring (``nextSubmission()``), and whether it was ever given out.
    private let nowhere: UnsafeMutablePointer<io_uring_sqe>
    private let overflowed: UnsafeMutablePointer<Bool>

    private static let submissionSize = 128

    /// A page of them: entries may be added. What is beyond the kernel keeps in a list of its own.
    private static let fewestCompletions = 256

    /// Sets a ring up with 128-byte SQEs, and registers `device` as its file 0.
    ///
    /// The flags that make it fast are given up one at a time where the kernel does not know them: DEFER_TASKRUN (6.1),
    /// SINGLE_ISSUER (6.0), SUBMIT_ALL (5.18). TASKRUN_FLAG goes with the first.
    /// - Parameter submissions: that may be pending at once.
    init(submissions: Int, device: CInt) throws(TransportError) {
        // `self.ring` is set last: a throw after that would run `deinit`, on a ring that is not there.
        let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
        unsafe ring.initialize(to: io_uring())
        var optional = [
            IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_SUBMIT_ALL,
        ]
        while true {
            var parameters = io_uring_params()
            parameters.flags = optional.reduce(IORING_SETUP_SQE128 | IORING_SETUP_CQSIZE) { $0 | $1 }
            parameters.cq_entries = UInt32(max(2 * submissions, Ring.fewestCompletions))
            let error = unsafe -io_uring_queue_init_params(UInt32(submissions), ring, &parameters)
            if error == 0 { break }
            if error == EINVAL && !optional.isEmpty {
                optional.removeFirst()
                continue
            }
            unsafe ring.deallocate()
            throw Ring.explain(Errno(rawValue: error))
        }
        var file = device
        let error = unsafe -io_uring_register_files(ring, &file, 1)
        if error != 0 {
            unsafe io_uring_queue_exit(ring)
            unsafe ring.deallocate()
            throw .failed(what: "registering /dev/fuse with io_uring", Errno(rawValue: error))
        }
        // Saves the lookup of the ring's own descriptor in each system call; without it all works the same.
        _ = unsafe io_uring_register_ring_fd(ring)
        unsafe nowhere = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: Ring.submissionSize, alignment: Ring.submissionSize
        )
        .assumingMemoryBound(to: io_uring_sqe.self)
        unsafe overflowed = .allocate(capacity: 1)
        unsafe overflowed.initialize(to: false)
        unsafe self.ring = unsafe ring
    }

    deinit {
        unsafe io_uring_queue_exit(ring)
        unsafe ring.deallocate()
        unsafe UnsafeMutableRawPointer(nowhere).deallocate()
        unsafe overflowed.deallocate()
    }

    private static func explain(_ error: Errno) -> TransportError {
        switch error {
        case .notPermitted, .permissionDenied:
            .unavailable(
                cause: "this process may not use io_uring",
                remedy: "set kernel.io_uring_disabled to 0, and see that no seccomp filter forbids it")
        case .noFunction:
            .unavailable(cause: "this kernel has no io_uring", remedy: "use --transport legacy")
        case .noMemory:
            .unavailable(
                cause: "io_uring may lock no more memory", remedy: "raise the limit (ulimit -l), or lower --depth")
        case .invalidArgument:
            .unavailable(cause: "this kernel's io_uring has no 128-byte SQEs", remedy: "it takes Linux 5.19 or later")
        default: .failed(what: "io_uring_setup", error)
        }
    }

    /// Makes a table of registered buffers, all of them empty.
    ///
    /// - Throws: EINVAL for more than the kernel has (16,384), ENOMEM.
    func makeBufferTable(count: Int) throws(Errno) {
        let error = unsafe -io_uring_register_buffers_sparse(ring, UInt32(count))
        if error != 0 { throw Errno(rawValue: error) }
    }

    /// Keeps memory mapped and in place, at `slot` of the table of buffers. It must outlive the ring.
    ///
    /// - Throws: ENOMEM, also beyond RLIMIT_MEMLOCK without CAP_IPC_LOCK; EFAULT for more than 1 GiB.
    func register(_ memory: UnsafeMutableRawBufferPointer, at slot: Int) throws(Errno) {
        var vector = unsafe iovec(iov_base: memory.baseAddress, iov_len: memory.count)
        var tag: UInt64 = 0
        let result = unsafe io_uring_register_buffers_update_tag(ring, UInt32(slot), &vector, &tag, 1)
        if result < 0 { throw Errno(rawValue: -result) }
    }

    /// The next free SQE. When there is none, those prepared so far are submitted first.
    ///
    /// If the kernel takes none of them, the SQE is one that goes nowhere, and the next ``submit()`` fails for good. An entry has
    /// one submission at a time and there is an SQE for each, so that this is never seen; but nobody shall turn in circles over it.
    func nextSubmission() -> UnsafeMutablePointer<io_uring_sqe> {
        if let sqe = unsafe io_uring_get_sqe(ring) { return unsafe sqe }
        unsafe io_uring_submit(ring)
        if let sqe = unsafe io_uring_get_sqe(ring) { return unsafe sqe }
        unsafe overflowed.pointee = true
        return unsafe nowhere
    }

    /// Whether all that was prepared has been submitted: the kernel may take less at once (`io_submit_sqes` without memory).
    var isSubmitted: Bool { unsafe io_uring_sq_ready(ring) == 0 }

    /// Submits all that is prepared.
    ///
    /// - Throws: EAGAIN when the kernel has no memory for it; the rest stays prepared. ENOBUFS for ever once something was prepared
    ///   that found no room.
    func submit() throws(Errno) {
        if unsafe overflowed.pointee { throw .noBufferSpace }
        repeat {
            let result = unsafe io_uring_submit(ring)
            if result < 0 { throw Errno(rawValue: -result) }
            if result == 0 && !isSubmitted { throw .resourceTemporarilyUnavailable }
        } while !isSubmitted
    }

    /// Submits what is prepared, and waits for at least one completion.
    ///
    /// A thread that slept is given just the one that it waited for, and the kernel has the others ready to be asked for
    /// (`io_cqring_wait`, which runs deferred work up to the number waited for). Without asking, they would be a batch of
    /// their own, and the clients answered by the first would take the core before it.
    /// - Throws: EINTR when the thread was woken; as ``submit()``.
    func submitAndWait() throws(Errno) {
        if unsafe overflowed.pointee { throw .noBufferSpace }
        let result = unsafe io_uring_submit_and_wait(ring, 1)
        if result < 0 { throw Errno(rawValue: -result) }
        if unsafe cliburing_has_deferred_work(ring) != 0 { unsafe io_uring_get_events(ring) }
    }

    /// Completions are there, or to be had by asking.
    var hasCompletions: Bool { unsafe cliburing_has_deferred_work(ring) != 0 || io_uring_cq_ready(ring) > 0 }

    /// Completions that are there. They stay the ring's until ``advance(_:)``.
    var completionCount: Int { unsafe Int(io_uring_cq_ready(ring)) }

    /// One of them; `index` is below ``completionCount``.
    func completion(_ index: Int) -> io_uring_cqe { unsafe cliburing_completion(ring, UInt32(index)).pointee }

    /// Gives `count` completions back.
    func advance(_ count: Int) {
        unsafe io_uring_cq_advance(ring, UInt32(count))
    }
}
