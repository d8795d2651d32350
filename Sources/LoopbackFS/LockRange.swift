import CFUSE
import CLinux
import Glibc
import SystemPackage

/// A lock or a request for one: bytes `start` to `end`, both included, of type F_RDLCK, F_WRLCK or F_UNLCK.
struct LockRange: Equatable {
    var start: UInt64
    var end: UInt64
    var type: Int32
    /// Of the process that asks.
    var process: UInt32

    init(start: UInt64, end: UInt64, type: Int32, process: UInt32) {
        self.start = start
        self.end = end
        self.type = type
        self.process = process
    }

    /// What a request says.
    ///
    /// - Throws: EINVAL for a range that ends before its start, or beyond what an offset can say.
    init(_ lock: fuse_file_lock) throws(Errno) {
        guard lock.start <= UInt64(Int64.max), lock.end <= UInt64(Int64.max), lock.start <= lock.end else {
            throw .invalidArgument
        }
        self.init(start: lock.start, end: lock.end, type: Int32(bitPattern: lock.type), process: lock.pid)
    }

    func conflicts(with other: LockRange) -> Bool {
        start <= other.end && other.start <= end && (type == F_WRLCK || other.type == F_WRLCK)
    }

    /// As fcntl(2) takes it.
    var flock: Glibc.flock {
        var out = Glibc.flock()
        out.l_type = Int16(truncatingIfNeeded: type)
        out.l_whence = Int16(SEEK_SET)
        out.l_start = Int(start)
        // Length 0 says "to the end, however far that will be".
        out.l_len = end == UInt64(Int64.max) ? 0 : Int(end - start + 1)
        return out
    }

    /// What is left of it without the bytes of another.
    func without(_ other: LockRange) -> [LockRange] {
        guard start <= other.end, other.start <= end else { return [self] }
        var left: [LockRange] = []
        if start < other.start {
            var before = self
            before.end = other.start - 1
            left.append(before)
        }
        if end > other.end {
            var after = self
            after.start = other.end + 1
            left.append(after)
        }
        return left
    }
}
