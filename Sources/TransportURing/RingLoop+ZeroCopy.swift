import CFUSE
import CLibURing
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// Reads and writes between a backing file and the pages of a client, which the kernel has put into the ring's table of buffers
/// (``RingLoop/pagesSlot(of:)``) until the commit.
///
/// What cannot go straight goes round: through the daemon's memory, and between that and the pages through a file in memory
/// (``BounceFile``), since io_uring alone reaches the pages. So do small writes that io_uring would hand to a thread of its own.
/// Files that no registered buffer can be used with are remembered; direct I/O of a client whose memory is not aligned as the
/// backing file demands is tried each time.
extension RingLoop {
    func readPages(
        _ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, offset: Int64, count: Int
    ) throws(Errno) {
        if file.refusesRegisteredBuffers.load(ordering: .relaxed) {
            return try unsafe readRound(entry, file, offset: offset, count: count)
        }
        unsafe submitPages(entry, file, offset: offset, count: count)
    }

    func writePages(
        _ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, offset: Int64, count: Int, flags: CInt
    ) throws(Errno) {
        if file.refusesRegisteredBuffers.load(ordering: .relaxed) || isCheaperRound(file, count: count) {
            unsafe entry.pointee.file = file
            unsafe entry.pointee.offset = offset
            unsafe entry.pointee.flags = flags
            return try unsafe bring(entry, count: count)
        }
        unsafe submit(
            entry, file, opcode: IORING_OP_WRITE_FIXED, offset: offset, count: count, done: 0, flags: flags)
    }

    /// Whether copying a WRITE costs less than the change of threads that io_uring makes for it.
    private func isCheaperRound(_ file: BackingFile, count: Int) -> Bool {
        file.isWrittenAside.load(ordering: .relaxed) && count <= BounceFile.small
            && file.policy.writePath(alone: isAlone) == .inline
    }

    /// Prepares a read or write between a range of the client's pages and a file.
    func preparePages(
        _ entry: UnsafeMutablePointer<Entry>, _ opcode: io_uring_op, _ file: FileDescriptor, offset: Int64,
        range: Range<Int>, flags: CInt
    ) {
        let submission = unsafe ring.nextSubmission()
        unsafe cliburing_prep_backing(
            submission, opcode.rawValue, file.rawValue, UnsafeMutableRawPointer(bitPattern: range.lowerBound),
            UInt32(range.count), offset, UInt32(bitPattern: flags),
            UserData(.backing, entry: entry.pointee.index).rawValue)
        unsafe cliburing_set_buffer(submission, pagesSlot(of: entry.pointee.index))
    }

    /// The READ has got as much as there is. What its pages have behind that, the kernel clears.
    func finishPages(_ entry: UnsafeMutablePointer<Entry>) {
        let counters = unsafe entry.pointee.queue.counters
        if unsafe entry.pointee.state == .delivering {
            unsafe counters.countCopied(entry.pointee.done)
        } else {
            unsafe counters.countZeroCopied(entry.pointee.done)
        }
        unsafe commit(entry, inPages: entry.pointee.done)
    }

    /// The backing file cannot read into or write from the client's pages: goes round, if that is what `error` means.
    ///
    /// - Returns: whether it is.
    func goesRound(_ entry: UnsafeMutablePointer<Entry>, _ error: Errno) -> Bool {
        let file = unsafe entry.pointee.file!
        switch error {
        case .badAddress, .notSupportedOnSocket: file.refusesRegisteredBuffers.store(true, ordering: .relaxed)
        // Memory that is not aligned for direct I/O. If it is something else, it will be said again.
        case .invalidArgument where file.isDirect: break
        default: return false
        }
        do throws(Errno) {
            if unsafe entry.pointee.opcode == .write {
                try unsafe bring(entry, count: entry.pointee.count)
            } else {
                try unsafe readRound(entry, file, offset: entry.pointee.offset, count: entry.pointee.count)
            }
        } catch {
            unsafe commit(entry, error: error)
        }
        return true
    }

    // MARK: Round

    private func bounceFile() throws(Errno) -> BounceFile {
        if let bounce { return bounce }
        let made = try unsafe BounceFile(roomSize: scratch.count)
        bounce = made
        return made
    }

    private func readRound(
        _ entry: UnsafeMutablePointer<Entry>, _ file: BackingFile, offset: Int64, count: Int
    ) throws(Errno) {
        let bounce = try bounceFile()
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(count, scratch.count)])
        let done = try unsafe BackingIO.read(file, offset: offset, into: room).count
        unsafe entry.pointee.queue.counters.countRound()
        unsafe entry.pointee.done = done
        if done == 0 { return unsafe finishPages(entry) }
        let index = unsafe Int(entry.pointee.index)
        try unsafe bounce.write(UnsafeRawBufferPointer(rebasing: room[..<done]), to: index)
        unsafe entry.pointee.state = .delivering
        unsafe entry.pointee.count = done
        outstanding += 1
        unsafe preparePages(
            entry, IORING_OP_READ_FIXED, bounce.descriptor, offset: bounce.offset(of: index), range: 0..<done, flags: 0)
    }

    /// Brings the data of a WRITE. It is then written to the entry's file, if it has one, and else handed in again.
    func bring(_ entry: UnsafeMutablePointer<Entry>, count: Int) throws(Errno) {
        guard unsafe count <= scratch.count else { throw .ioError }
        let bounce = try bounceFile()
        unsafe entry.pointee.queue.counters.countRound()
        unsafe entry.pointee.state = .bringing
        unsafe entry.pointee.count = count
        outstanding += 1
        unsafe preparePages(
            entry, IORING_OP_WRITE_FIXED, bounce.descriptor, offset: bounce.offset(of: Int(entry.pointee.index)),
            range: 0..<count, flags: 0)
    }

    /// Something between the client's pages and the bounce file is done. That is in memory: nothing is done in part.
    func pagesCompleted(_ entry: UnsafeMutablePointer<Entry>, result: CInt) {
        do throws(Errno) {
            if result < 0 { throw Errno(rawValue: -result) }
            guard unsafe Int(result) == entry.pointee.count else { throw .ioError }
            guard unsafe entry.pointee.state == .delivering else { return try unsafe dataIsBrought(entry) }
            unsafe bounce?.empty(Int(entry.pointee.index))
            unsafe finishPages(entry)
        } catch {
            unsafe commit(entry, error: error)
        }
    }

    private func dataIsBrought(_ entry: UnsafeMutablePointer<Entry>) throws(Errno) {
        let data = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<entry.pointee.count])
        try unsafe bounceFile().take(data, from: Int(entry.pointee.index))
        guard let file = unsafe entry.pointee.file else {
            unsafe entry.pointee.state = .inHand
            let message = unsafe entry.pointee.message
            let request = unsafe message.request(payload: UnsafeRawBufferPointer(data), pagesCount: 0)
            return try unsafe dispatch(request, entry, separate: false)
        }
        let mark = file.policy.begin(at: MonotonicClock.now())
        let written = try unsafe BackingIO.write(
            file, offset: entry.pointee.offset, UnsafeRawBufferPointer(data), flags: entry.pointee.flags)
        let now = MonotonicClock.now()
        file.policy.end(mark, at: now)
        unsafe commitWrite(entry, written, copied: true, at: now)
    }
}
