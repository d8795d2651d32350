import FUSE
import Glibc

/// Calls of the C library whose -1 is an errno.
func check(_ result: CInt) throws(Errno) -> CInt {
    if result < 0 { throw Errno(rawValue: errno) }
    return result
}

/// A file that is open with O_PATH: it stays the same file, whatever its names are.
final class File: Sendable {
    let descriptor: CInt
    let id: FileID

    /// Takes the descriptor over.
    init(_ descriptor: CInt) throws(Errno) {
        self.descriptor = descriptor
        do throws(Errno) {
            id = FileID(try status(of: descriptor))
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// The file of a name in this directory; a symbolic link itself.
    func child(_ name: borrowing Name) throws(Errno) -> File {
        try File(
            try name.withCString { name throws(Errno) in
                try check(openat(descriptor, name, O_PATH | O_NOFOLLOW | O_CLOEXEC))
            })
    }

    /// Opens the same file for reading or writing, by way of `/proc`.
    func reopened(_ flags: CInt) throws(Errno) -> FileDescriptor {
        FileDescriptor(rawValue: try check(open(path, flags & ~O_NOFOLLOW | O_CLOEXEC)))
    }

    /// Leads to the file, for calls that take no descriptor of O_PATH.
    var path: String { "/proc/self/fd/\(descriptor)" }

    func attributes() throws(Errno) -> Attributes { Attributes(try status(of: descriptor)) }
}

// What the C library's headers do not give to Swift.
let O_PATH: CInt = 0o10000000
let UTIME_OMIT = (1 << 30) - 2

/// What two names of one file have in common.
struct FileID: Hashable {
    let device: UInt
    let number: UInt

    init(_ status: stat) {
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }
}

func status(of descriptor: CInt) throws(Errno) -> stat {
    var status = stat()
    _ = try check(fstat(descriptor, &status))
    return status
}

extension Attributes {
    init(_ status: stat) {
        self.init(
            FileKind(rawValue: status.st_mode), permissions: UInt16(status.st_mode & 0o7777), size: Int(status.st_size),
            links: UInt32(status.st_nlink), user: status.st_uid, group: status.st_gid,
            // The kernel's form of a device number, for major numbers below 4096.
            device: UInt32(truncatingIfNeeded: status.st_rdev))
        blocks = UInt64(status.st_blocks)
        blockSize = UInt32(status.st_blksize)
        number = UInt64(status.st_ino)
        accessed = Timestamp(status.st_atim)
        modified = Timestamp(status.st_mtim)
        changed = Timestamp(status.st_ctim)
    }
}

extension Timestamp {
    init(_ time: timespec) { self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec)) }

    var time: timespec { timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)) }
}
