import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A file in memory through which data goes between the daemon's memory and the pages of clients. Each entry has a room in it.
final class BounceFile {
    let descriptor: FileDescriptor
    private let roomSize: Int

    /// - Parameter roomSize: bytes of the largest request.
    /// - Throws: EMFILE, ENOMEM.
    init(roomSize: Int) throws(Errno) {
        self.roomSize = roomSize
        descriptor = FileDescriptor(rawValue: try Errno.check { unsafe clinux_memory_file("fstestkit-bounce") })
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

    /// Takes all that `data` holds out of a room, which is empty then.
    func take(_ data: UnsafeMutableRawBufferPointer, from entry: Int) throws(Errno) {
        let count = try Errno.check {
            unsafe pread(descriptor.rawValue, data.baseAddress, data.count, Int(offset(of: entry)))
        }
        guard count == data.count else { throw .ioError }
        empty(entry)
    }

    /// Gives the memory of a room back.
    func empty(_ entry: Int) {
        // FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE. What is kept all the same is only memory.
        _ = clinux_fallocate(descriptor.rawValue, 1 | 2, offset(of: entry), Int64(roomSize))
    }
}
