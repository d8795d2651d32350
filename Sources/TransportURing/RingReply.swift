import FUSEServer
import SystemPackage

/// The reply to the request that an entry holds.
struct RingReply: ReplySink {
    /// It runs this; each use would count references otherwise.
    unowned(unsafe) let loop: RingLoop
    let entry: UnsafeMutablePointer<Entry>
    /// Bytes of the request's payload.
    let payloadCount: Int

    func succeed(count: Int) { loop.commit(entry, count: count) }

    func fail(_ error: Errno) { loop.commit(entry, error: error) }

    /// An entry gets its next request only by committing this one, whether or not it takes a reply.
    func finish() { loop.commit(entry, count: 0) }

    func read(_ file: BackingFile, offset: Int64, count: Int) throws(Errno) {
        try loop.read(entry, file, offset: offset, count: count)
    }

    func write(_ file: BackingFile, offset: Int64, flags: CInt) throws(Errno) {
        try loop.write(entry, file, offset: offset, count: payloadCount, flags: flags)
    }

    func synchronize(_ file: BackingFile, dataOnly: Bool) throws(Errno) {
        loop.synchronize(entry, file, dataOnly: dataOnly)
    }

    func postpone(_ work: DeferredWork) throws(Errno) { try loop.postpone(work, entry) }
}
