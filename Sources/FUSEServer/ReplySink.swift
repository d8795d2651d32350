public import SystemPackage

/// Where the reply to one request goes, and how the bytes of a backing file get into it. Each transport has one such type; a value of
/// it stands for one request, on the thread that took it.
@usableFromInline
package protocol ReplySink {
    /// Answers with the first `count` bytes of what the request's ``ReplyBuffer`` was made over.
    func succeed(count: Int)
    func fail(_ error: Errno)
    /// Lets go of a request that takes no reply.
    func finish()
    /// Answers with `count` bytes of the file, or fewer at its end.
    func read(_ file: BackingFile, offset: Int64, count: Int) throws(Errno)
    /// Writes the request's payload to the file, and answers with how much of it was written.
    func write(_ file: BackingFile, offset: Int64, flags: CInt) throws(Errno)
    /// Brings the data that lies in the client's pages, and has the request handled again.
    func bringData() throws(Errno)
    func synchronize(_ file: BackingFile, dataOnly: Bool) throws(Errno)
    /// Has another thread do the work and answer.
    ///
    /// - Throws: EAGAIN and what else keeps it from that; nothing was begun then.
    func postpone(_ work: DeferredWork) throws(Errno)
}

extension ReplySink {
    /// Of a transport that has all data at hand.
    package func bringData() throws(Errno) { throw .ioError }

    /// Does what the filesystem decided: with each outcome the request gets its one reply, now or later.
    ///
    /// - Parameter replied: bytes that the filesystem wrote into the request's ``ReplyBuffer``.
    @inlinable
    package func carryOut(_ outcome: Outcome, replied: Int) {
        do throws(Errno) {
            switch outcome {
            case .reply: succeed(count: replied)
            case .failure(let error): fail(error)
            case .noReply: finish()
            case .read(let file, let offset, let count): try read(file, offset: offset, count: count)
            case .write(let file, let offset, let flags): try write(file, offset: offset, flags: flags)
            case .bringData: try bringData()
            case .fsync(let file, let dataOnly): try synchronize(file, dataOnly: dataOnly)
            case .deferred(let work):
                do throws(Errno) { try postpone(work) } catch { fail(work.refuse()) }
            }
        } catch {
            fail(error)
        }
    }
}
