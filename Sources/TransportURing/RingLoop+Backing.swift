import CFUSE
import CLibURing
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage

/// Backing reads, writes and fsyncs: inline while the backing file answers from memory, on the ring when it would block
/// (``IOPolicy``). Either way the data goes straight into or out of the entry's payload.
extension RingLoop {
    func read(
        _ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, offset: Int64, count: Int
    ) throws(Errno) {
        if unsafe entry.pointee.message.isZeroCopied {
            return try unsafe readPages(entry, file, offset: offset, count: count)
        }
        let room = unsafe UnsafeMutableRawBufferPointer(
            rebasing: entry.pointee.payload[..<min(count, entry.pointee.payload.count)])
        var done = 0
        if count >= WaitPolicy.large {
            unsafe waiting.requestIsLarge()
            if mayHandOver {
                return unsafe handOver(
                    entry, file, opcode: IORING_OP_READ, offset: offset, count: room.count, flags: 0)
            }
        }
        do throws(Errno) {
            switch file.policy.readPath(direct: file.isDirect, alone: isAlone) {
            case .inline:
                let mark = unsafe file.policy.begin(at: entry.pointee.began)
                let result = try unsafe BackingIO.read(file, offset: offset, into: room)
                let now = MonotonicClock.now()
                file.policy.end(mark, at: now)
                return unsafe commit(entry, count: result.count, at: now)
            case .cached:
                let result = try unsafe BackingIO.read(file, offset: offset, into: room, nonblocking: true)
                if result.complete { return unsafe commit(entry, count: result.count) }
                done = result.count
            case .ring: break
            }
        } catch .resourceTemporarilyUnavailable {
            // Not in the page cache: the ring waits for the disk.
        } catch .notSupportedOnSocket {
            // EOPNOTSUPP: this filesystem cannot say whether it would block, so time tells from now on.
            file.policy.nonblockingIsUnsupported()
            return try unsafe read(entry, file, offset: offset, count: count)
        }
        unsafe submit(
            entry, file, opcode: IORING_OP_READ, offset: offset, count: room.count, done: done, flags: 0)
    }

    func write(
        _ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, offset: Int64, count: Int, flags: CInt
    ) throws(Errno) {
        if unsafe entry.pointee.message.isZeroCopied {
            return try unsafe writePages(entry, file, offset: offset, count: count, flags: flags)
        }
        if count >= WaitPolicy.large {
            unsafe waiting.requestIsLarge()
            if mayHandOver {
                return unsafe handOver(
                    entry, file, opcode: IORING_OP_WRITE, offset: offset, count: count, flags: flags)
            }
        }
        guard file.policy.writePath(alone: isAlone) == .inline else {
            return unsafe submit(
                entry, file, opcode: IORING_OP_WRITE, offset: offset, count: count, done: 0, flags: flags)
        }
        let mark = unsafe file.policy.begin(at: entry.pointee.began)
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: entry.pointee.payload[..<count])
        let written = try unsafe BackingIO.write(file, offset: offset, bytes, flags: flags)
        let now = MonotonicClock.now()
        file.policy.end(mark, at: now)
        unsafe commitWrite(entry, written, copied: true, at: now)
    }

    /// Whether another thread may copy for this one: it serves several cores, more requests wait behind this one, and not every core
    /// copies already.
    private var mayHandOver: Bool { worker.placement == nil && unserved > 0 && handedOver < worker.queues.count }

    /// Has a thread of io_uring's copy, at once.
    private func handOver(
        _ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, opcode: io_uring_op, offset: Int64,
        count: Int, flags: CInt
    ) {
        handedOver += 1
        unsafe entry.pointee.isHandedOver = true
        unsafe submit(entry, file, opcode: opcode, offset: offset, count: count, done: 0, flags: flags)
        // What the kernel does not take now goes with the next submission.
        try? ring.submit()
    }

    func synchronize(_ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, dataOnly: Bool) {
        unsafe submit(
            entry, file, opcode: IORING_OP_FSYNC, offset: 0, count: 0, done: 0,
            flags: dataOnly ? CInt(IORING_FSYNC_DATASYNC) : 0)
    }

    func submit(
        _ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, opcode: io_uring_op, offset: Int64,
        count: Int, done: Int, flags: CInt
    ) {
        unsafe entry.pointee.state = .backing
        unsafe entry.pointee.file = file
        unsafe entry.pointee.offset = offset
        unsafe entry.pointee.count = count
        unsafe entry.pointee.done = done
        unsafe entry.pointee.flags = flags
        outstanding += 1
        unsafe prepare(entry, opcode)
    }

    private func prepare(
        _ entry: UnsafeMutablePointer<Entry>, _ opcode: io_uring_op
    ) {
        let done = unsafe entry.pointee.done
        if unsafe entry.pointee.message.isZeroCopied && opcode != IORING_OP_FSYNC {
            return unsafe preparePages(
                entry, opcode, entry.pointee.file!.descriptor, offset: entry.pointee.offset + Int64(done),
                range: done..<entry.pointee.count, flags: entry.pointee.flags)
        }
        let submission = unsafe ring.nextSubmission()
        unsafe cliburing_prep_backing(
            submission, opcode.rawValue, entry.pointee.file!.descriptor.rawValue,
            opcode == IORING_OP_FSYNC ? nil : entry.pointee.payload.baseAddress! + done,
            UInt32(entry.pointee.count - done), entry.pointee.offset + Int64(done),
            UInt32(bitPattern: entry.pointee.flags),
            UserData(.backing, entry: entry.pointee.index).rawValue)
        if unsafe entry.pointee.isHandedOver { unsafe cliburing_run_on_worker(submission) }
    }

    func backingCompleted(_ entry: UnsafeMutablePointer<Entry>, result: CInt) {
        outstanding -= 1
        if unsafe entry.pointee.isHandedOver {
            unsafe entry.pointee.isHandedOver = false
            handedOver -= 1
        }
        if unsafe entry.pointee.state != .backing { return unsafe pagesCompleted(entry, result: result) }
        if result == -EINTR || result == -EAGAIN {
            return unsafe resubmit(entry)
        }
        if unsafe result < 0 && entry.pointee.done == 0 {
            let error = Errno(rawValue: -result)
            if unsafe entry.pointee.message.isZeroCopied && goesRound(entry, error) { return }
            return unsafe commit(entry, error: error)
        }
        unsafe entry.pointee.done += Int(max(result, 0))
        // A short read or write of the page cache is continued: the kernel would take it for the end of the file, or the
        // writer for an error. A direct one is short only at the end.
        if result > 0, unsafe entry.pointee.done < entry.pointee.count, unsafe !entry.pointee.file!.isDirect {
            return unsafe resubmit(entry)
        }
        if unsafe entry.pointee.opcode == .write {
            unsafe commitWrite(entry, entry.pointee.done, copied: !entry.pointee.message.isZeroCopied)
        } else if unsafe entry.pointee.message.isZeroCopied {
            unsafe finishPages(entry)
        } else {
            unsafe commit(entry, count: entry.pointee.done)
        }
    }

    private func resubmit(_ entry: UnsafeMutablePointer<Entry>) {
        outstanding += 1
        let opcode: io_uring_op
        let isZeroCopied = unsafe entry.pointee.message.isZeroCopied
        switch unsafe entry.pointee.opcode {
        case .read: opcode = isZeroCopied ? IORING_OP_READ_FIXED : IORING_OP_READ
        case .write: opcode = isZeroCopied ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE
        default: opcode = IORING_OP_FSYNC
        }
        unsafe prepare(entry, opcode)
    }

    func commitWrite(
        _ entry: UnsafeMutablePointer<Entry>, _ written: Int, copied: Bool, at now: UInt64 = MonotonicClock.now()
    ) {
        unsafe entry.withQueue { queue in
            if copied { queue.counters.countCopied(written) } else { queue.counters.countZeroCopied(written) }
        }
        unsafe entry.pointee.payload.storeBytes(
            of: fuse_write_out(size: UInt32(written), padding: 0), as: fuse_write_out.self)
        unsafe commit(entry, count: MemoryLayout<fuse_write_out>.size, at: now)
    }
}
