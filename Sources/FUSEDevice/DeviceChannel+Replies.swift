import CFUSE
import FUSEProtocol
package import FUSEServer
import LinuxSystem
package import SystemPackage

/// Replies to the requests of a channel. Backing I/O is done on the spot: the thread has nothing else to serve.
extension DeviceChannel: ReplySink {
    /// What is to be known of a request to answer it.
    // Safe: lives while its request is handled, on the channel's own thread.
    @safe
    package struct Pending {
        let opcode: Opcode
        let unique: UInt64
        /// When the request was taken, in nanoseconds.
        let began: UInt64
        /// The request's, in the channel's buffer until the next one is taken.
        let payload: UnsafeRawBufferPointer
    }

    package func succeed(_ request: Pending, count: Int) {
        send(unique: request.unique, error: nil, count: count)
        countAnswer(request, failed: false)
    }

    package func fail(_ request: Pending, _ error: Errno) {
        send(unique: request.unique, error: error, count: 0)
        countAnswer(request, failed: true)
    }

    package func finish(_ request: Pending) { countAnswer(request, failed: false) }

    private func countAnswer(_ request: Pending, failed: Bool) {
        counters.countCommitted(request.opcode, nanoseconds: MonotonicClock.now() - request.began, failed: failed)
    }

    package func read(_ request: Pending, _ file: BackingFile, offset: Int64, count: Int) throws(Errno) {
        let body = unsafe replyBody
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: body[..<min(count, body.count)])
        succeed(request, count: try unsafe BackingIO.read(file, offset: offset, into: room).count)
    }

    package func write(_ request: Pending, _ file: BackingFile, offset: Int64, flags: CInt) throws(Errno) {
        let count = try unsafe BackingIO.write(file, offset: offset, request.payload, flags: flags)
        unsafe replyBody.storeBytes(
            of: fuse_write_out(size: UInt32(count), padding: 0), as: fuse_write_out.self)
        succeed(request, count: MemoryLayout<fuse_write_out>.size)
    }

    package func synchronize(_ request: Pending, _ file: BackingFile, dataOnly: Bool) throws(Errno) {
        try BackingIO.synchronize(file, dataOnly: dataOnly)
        succeed(request, count: 0)
    }

    package func postpone(_ request: Pending, _ work: DeferredWork) throws(Errno) {
        try postpone(work, opcode: request.opcode, unique: request.unique, began: request.began)
    }
}
