import CFUSE
import FUSEProtocol
import FUSEServer
import Glibc

/// One registered header and payload pair, and the request that it holds. Owned by its ring's thread.
// Safe: its ring's worker keeps the queue alive as long as this.
@safe
struct Entry {
    /// The request, and its reply in the same place.
    var message: RingMessage
    fileprivate let queueReference: Unmanaged<KernelQueue>
    /// Among the ring's entries.
    let index: UInt32

    var state = State.registered
    /// A spare one that has not held a request yet.
    var isFresh = false
    // Of the request that the entry holds:
    var opcode = Opcode(rawValue: 0)
    var unique: UInt64 = 0
    var commitID: UInt64 = 0
    /// When it was taken, in nanoseconds.
    var began: UInt64 = 0
    // Of its backing I/O on the ring:
    var file: BackingFile?
    var offset: Int64 = 0
    var count = 0
    /// Bytes read or written so far.
    var done = 0
    /// Of pwritev2(2).
    var flags: CInt = 0
    /// A thread of io_uring's does it.
    var isHandedOver = false

    enum State {
        /// In the kernel, waiting for a request.
        case registered
        /// The daemon handles its request.
        case inHand
        /// Its backing I/O is under way on the ring.
        case backing
        /// Its data is on its way from the client's pages to the daemon's memory.
        case bringing
        /// Its data is on its way from the daemon's memory to the client's pages.
        case delivering
        /// Its reply comes from another thread.
        case deferred
        /// Its request stays unanswered, since the session stops.
        case held
        /// The kernel has let go of it.
        case dead
    }

    init(_ message: RingMessage, queue: KernelQueue, index: UInt32) {
        self.message = message
        unsafe queueReference = .passUnretained(queue)
        self.index = index
    }

    var queue: KernelQueue { unsafe queueReference.takeUnretainedValue() }

    /// What REGISTER names, the header and the payload if that is the entry's own, written behind the header, where it stays as long as that: the kernel
    /// reads it while it takes the command in.
    func writeVectors() -> UnsafeMutablePointer<iovec> {
        let (header, payload) = unsafe message.parts
        let vectors = unsafe (header.baseAddress! + Entry.vectorsOffset).bindMemory(to: iovec.self, capacity: 2)
        unsafe vectors[0] = unsafe iovec(iov_base: header.baseAddress, iov_len: header.count)
        // The kernel wants nothing here where it has a pool to take payloads from.
        unsafe vectors[1] =
            unsafe queue.pool == nil ? iovec(iov_base: payload.baseAddress, iov_len: payload.count) : iovec()
        return unsafe vectors
    }

    /// In the header's page.
    private static let vectorsOffset = 1024

    /// The inode that its request is about, until the reply is written.
    var node: UInt64 { message.requestHeader.nodeid }

    /// Names and data of a request, then the body of its reply.
    var payload: UnsafeMutableRawBufferPointer { unsafe message.payload }
}

extension UnsafeMutablePointer<Entry> {
    /// Uses the entry's queue without counting references to it: that is felt with each request.
    @inline(__always)
    func withQueue<Result>(_ body: (KernelQueue) -> Result) -> Result {
        unsafe pointee.queueReference._withUnsafeGuaranteedRef(body)
    }
}
