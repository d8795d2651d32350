public import SystemPackage

/// Where replies go, and how the bytes of a backing file get into them: what takes requests on one thread. Each transport has one
/// such type.
@usableFromInline
package protocol ReplySink: AnyObject {
    /// One request that this has taken, until it is answered.
    associatedtype Pending

    /// Answers with the first `count` bytes of what the request's ``ReplyBuffer`` was made over.
    func succeed(_ request: Pending, count: Int)
    func fail(_ request: Pending, _ error: Errno)
    /// Lets go of a request that takes no reply.
    func finish(_ request: Pending)
    /// Answers with `count` bytes of the file, or fewer at its end.
    func read(_ request: Pending, _ file: BackingFile, offset: Int64, count: Int) throws(Errno)
    /// Writes the request's payload to the file, and answers with how much of it was written.
    func write(_ request: Pending, _ file: BackingFile, offset: Int64, flags: CInt) throws(Errno)
    /// Brings the data that lies in the client's pages, and has the request handled again.
    func bringData(_ request: Pending) throws(Errno)
    func synchronize(_ request: Pending, _ file: BackingFile, dataOnly: Bool) throws(Errno)
    /// Has another thread do the work and answer.
    ///
    /// - Throws: EAGAIN and what else keeps it from that; nothing was begun then.
    func postpone(_ request: Pending, _ work: DeferredWork) throws(Errno)
}

extension ReplySink {
    /// Of a transport that has all data at hand.
    package func bringData(_ request: Pending) throws(Errno) { throw .ioError }

    /// Does what the filesystem decided: with each outcome the request gets its one reply, now or later.
    ///
    /// - Parameter replied: bytes that the filesystem wrote into the request's ``ReplyBuffer``.
    @inlinable
    package func carryOut(_ outcome: Outcome, of request: Pending, replied: Int) {
        do throws(Errno) {
            switch outcome {
            case .reply: succeed(request, count: replied)
            case .failure(let error): fail(request, error)
            case .noReply: finish(request)
            case .read(let file, let offset, let count): try read(request, file, offset: offset, count: count)
            case .write(let file, let offset, let flags): try write(request, file, offset: offset, flags: flags)
            case .bringData: try bringData(request)
            case .fsync(let file, let dataOnly): try synchronize(request, file, dataOnly: dataOnly)
            case .deferred(let work):
                do throws(Errno) { try postpone(request, work) } catch { fail(request, work.refuse()) }
            }
        } catch {
            fail(request, error)
        }
    }
}
