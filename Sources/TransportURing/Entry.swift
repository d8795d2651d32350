import CFUSE
import FUSEProtocol
import FUSEServer
import Glibc

/// One registered header and payload pair, and the request that it holds. Owned by its ring's thread.
struct Entry {
    /// `fuse_uring_req_header`: what the kernel and the daemon tell each other of a request.
    let header: UnsafeMutableRawPointer
    /// Names and data of a request, then the body of its reply.
    let payload: UnsafeMutableRawBufferPointer
    /// Its ring's worker keeps it alive; each use would count references otherwise.
    unowned(unsafe) let queue: KernelQueue

    var state = State.registered
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

    enum State {
        /// In the kernel, waiting for a request.
        case registered
        /// The daemon handles its request.
        case inHand
        /// Its backing I/O is under way on the ring.
        case backing
        /// Its reply comes from another thread.
        case deferred
        /// Its request stays unanswered, since the session stops.
        case held
        /// The kernel has let go of it.
        case dead
    }

    init(header: UnsafeMutableRawPointer, payload: UnsafeMutableRawBufferPointer, queue: KernelQueue) {
        self.header = header
        self.payload = payload
        self.queue = queue
    }

    /// What the kernel says of the request beside its header.
    var ring: cfuse_uring_ent_in_out {
        header.load(fromByteOffset: 256, as: cfuse_uring_ent_in_out.self)
    }

    /// Writes the reply's header, for a body of `count` bytes in the payload.
    func writeReply(error: CInt, count: Int) {
        header.storeBytes(
            of: fuse_out_header(
                len: UInt32(MemoryLayout<fuse_out_header>.size + count), error: -error, unique: unique),
            as: fuse_out_header.self)
        header.storeBytes(of: UInt32(count), toByteOffset: 256 + 16, as: UInt32.self)
    }
}
