import FUSEServer
import SystemPackage

/// The reply to the request that an entry holds.
// Safe: lives while its request is handled, on the loop's own thread, and entries do not move.
@safe
struct RingReply: ReplySink {
    /// It runs this; each use would count references otherwise.
    unowned(unsafe) let loop: RingLoop
    let entry: UnsafeMutablePointer<Entry>
    /// Bytes of the request's payload, and of its data that lies in the client's pages.
    let payloadCount: Int
    let pagesCount: Int

    func succeed(count: Int) { unsafe loop.commit(entry, count: count) }

    func fail(_ error: Errno) { unsafe loop.commit(entry, error: error) }

    /// An entry gets its next request only by committing this one, whether or not it takes a reply.
    func finish() { unsafe loop.commit(entry, count: 0) }

    func read(_ file: BackingFile, offset: Int64, count: Int) throws(Errno) {
        try unsafe loop.read(entry, file, offset: offset, count: count)
    }

    func write(_ file: BackingFile, offset: Int64, flags: CInt) throws(Errno) {
        try unsafe loop.write(entry, file, offset: offset, count: payloadCount + pagesCount, flags: flags)
    }

    func bringData() throws(Errno) {
        guard pagesCount > 0 else { throw .ioError }
        try unsafe loop.bring(entry, count: pagesCount)
    }

    func synchronize(_ file: BackingFile, dataOnly: Bool) throws(Errno) {
        unsafe loop.synchronize(entry, file, dataOnly: dataOnly)
    }

    func postpone(_ work: DeferredWork) throws(Errno) { try unsafe loop.postpone(work, entry) }
}
