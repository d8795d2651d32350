import FUSEServer
import SystemPackage

/// Replies to the requests that entries hold.
extension RingLoop: ReplySink {
    /// A request in an entry, while it is handled.
    // Safe: on the loop's own thread, and entries do not move.
    @safe
    struct Pending {
        let entry: UnsafeMutablePointer<Entry>
        /// Bytes of the request's payload, and of its data that lies in the client's pages.
        let payloadCount: Int
        let pagesCount: Int
    }

    func succeed(_ request: Pending, count: Int) { unsafe commit(request.entry, count: count) }

    func fail(_ request: Pending, _ error: Errno) { unsafe commit(request.entry, error: error) }

    /// An entry gets its next request only by committing this one, whether or not it takes a reply.
    func finish(_ request: Pending) { unsafe commit(request.entry, count: 0) }

    func read(_ request: Pending, _ file: BackingFile, offset: Int64, count: Int) throws(Errno) {
        try unsafe read(request.entry, file, offset: offset, count: count)
    }

    func write(_ request: Pending, _ file: BackingFile, offset: Int64, flags: CInt) throws(Errno) {
        let count = request.payloadCount + request.pagesCount
        try unsafe write(request.entry, file, offset: offset, count: count, flags: flags)
    }

    func bringData(_ request: Pending) throws(Errno) {
        guard request.pagesCount > 0 else { throw .ioError }
        try unsafe bring(request.entry, count: request.pagesCount)
    }

    func synchronize(_ request: Pending, _ file: BackingFile, dataOnly: Bool) throws(Errno) {
        unsafe synchronize(request.entry, file, dataOnly: dataOnly)
    }

    func postpone(_ request: Pending, _ work: DeferredWork) throws(Errno) { try unsafe postpone(work, request.entry) }
}
