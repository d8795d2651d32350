import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A file in memory through which data goes between the daemon's memory and the pages of clients. Each entry has a room in it.
final class BounceFile {
    let descriptor: FileDescriptor
    private let roomSize: Int

    /// Bytes up to which a room keeps its memory, and to copy them costs less than to wake another thread.
    static let small = 32 << 10

    /// - Parameter roomSize: bytes of the largest request.
    /// - Throws: EMFILE, ENOMEM.
    init(roomSize: Int) throws(Errno) {
        self.roomSize = roomSize
        let made = try Errno.check { unsafe clinux_memory_file("fstestkit-bounce") }
        // With these flags io_uring reads and writes it at once, and not on another thread.
        let flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | CLINUX_O_DIRECT
        let opened = unsafe clinux_openat(AT_FDCWD, "/proc/self/fd/\(made)", flags, 0)
        if opened >= 0 { close(made) }
        descriptor = FileDescriptor(rawValue: opened >= 0 ? opened : made)
    }

    deinit {
        try? descriptor.close()
    }

    /// Where the room of an entry begins.
    func offset(of entry: Int) -> Int64 { Int64(entry * roomSize) }

    /// Puts data into a room.
    func write(_ data: UnsafeRawBufferPointer, to entry: Int) throws(Errno) {
        let count = try Errno.check {
            unsafe pwrite(descriptor.rawValue, data.baseAddress, data.count, Int(offset(of: entry)))
        }
        guard count == data.count else { throw .ioError }
    }

    /// Takes all that `data` holds out of a room.
    func take(_ data: UnsafeMutableRawBufferPointer, from entry: Int) throws(Errno) {
        let count = try Errno.check {
            unsafe pread(descriptor.rawValue, data.baseAddress, data.count, Int(offset(of: entry)))
        }
        guard count == data.count else { throw .ioError }
        if count > BounceFile.small { empty(entry) }
    }

    /// Gives the memory of a room back.
    func empty(_ entry: Int) {
        // FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE. What is kept all the same is only memory.
        _ = clinux_fallocate(descriptor.rawValue, 1 | 2, offset(of: entry), Int64(roomSize))
    }
}
