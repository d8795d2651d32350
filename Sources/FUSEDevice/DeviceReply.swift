import CFUSE
import FUSEProtocol
import FUSEServer
import LinuxSystem
import SystemPackage

/// The reply to one request of a channel. Backing I/O is done on the spot: the thread has nothing else to serve.
// Safe: lives while its request is handled, on the channel's own thread.
@safe
struct DeviceReply: ReplySink {
    /// It runs this; each use would count references otherwise.
    unowned(unsafe) let channel: DeviceChannel
    let opcode: Opcode
    let unique: UInt64
    /// When the request was taken, in nanoseconds.
    let began: UInt64
    /// The request's, in the channel's buffer until the next one is taken.
    let payload: UnsafeRawBufferPointer

    func succeed(count: Int) {
        unsafe channel.send(unique: unique, error: nil, count: count)
        countAnswer(failed: false)
    }

    func fail(_ error: Errno) {
        unsafe channel.send(unique: unique, error: error, count: 0)
        countAnswer(failed: true)
    }

    func finish() { countAnswer(failed: false) }

    private func countAnswer(failed: Bool) {
        unsafe channel.counters.countCommitted(opcode, nanoseconds: MonotonicClock.now() - began, failed: failed)
    }

    func read(_ file: BackingFile, offset: Int64, count: Int) throws(Errno) {
        let body = unsafe channel.replyBody
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: body[..<min(count, body.count)])
        unsafe succeed(count: try BackingIO.read(file, offset: offset, into: room).count)
    }

    func write(_ file: BackingFile, offset: Int64, flags: CInt) throws(Errno) {
        let count = try unsafe BackingIO.write(file, offset: offset, payload, flags: flags)
        unsafe channel.replyBody.storeBytes(
            of: fuse_write_out(size: UInt32(count), padding: 0), as: fuse_write_out.self)
        succeed(count: MemoryLayout<fuse_write_out>.size)
    }

    func synchronize(_ file: BackingFile, dataOnly: Bool) throws(Errno) {
        try BackingIO.synchronize(file, dataOnly: dataOnly)
        succeed(count: 0)
    }

    func postpone(_ work: DeferredWork) throws(Errno) {
        try unsafe channel.postpone(work, opcode: opcode, unique: unique, began: began)
    }
}
