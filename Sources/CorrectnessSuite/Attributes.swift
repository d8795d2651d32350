import CBench
import CLinux
import Glibc
import SystemPackage

/// A time of a file, as statx(2) gives it.
struct FileTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    var seconds: Int64
    var nanoseconds: Int64

    static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    var description: String { "\(seconds)s+\(nanoseconds)ns" }

    init(_ seconds: Int64, _ nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init(_ time: statx_timestamp) {
        self.init(time.tv_sec, Int64(time.tv_nsec))
    }

    /// The clock that the kernel stamps files with.
    static var now: FileTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(Int64(time.tv_sec), Int64(time.tv_nsec))
    }
}

/// Permission, set-id and sticky bits; shown in octal.
struct Mode: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    var bits: UInt16

    init(_ bits: UInt16) {
        self.bits = bits
    }

    init(integerLiteral value: UInt16) {
        bits = value
    }

    static func & (left: Mode, right: Mode) -> Mode { Mode(left.bits & right.bits) }

    var description: String { "0\(String(bits, radix: 8))" }
}

/// What kind of file an inode is.
enum FileKind: UInt16, Sendable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symbolicLink = 0o120000
    case socket = 0o140000
    /// Not the type of any file.
    case unknown = 0

    /// The `d_type` of directory entries.
    var entryType: UInt8 { UInt8(rawValue >> 12) }
}

/// The attributes of a file (statx(2)).
struct Attributes: Sendable {
    let raw: statx

    var inode: UInt64 { raw.stx_ino }
    var kind: FileKind { FileKind(rawValue: raw.stx_mode & 0o170000) ?? .unknown }
    /// Permission, set-id and sticky bits.
    var mode: Mode { Mode(raw.stx_mode & 0o7777) }
    var links: UInt32 { raw.stx_nlink }
    var owner: UInt32 { raw.stx_uid }
    var group: UInt32 { raw.stx_gid }
    /// Bytes.
    var size: UInt64 { raw.stx_size }
    /// Allocated 512-byte units.
    var blocks: UInt64 { raw.stx_blocks }
    var accessed: FileTime { FileTime(raw.stx_atime) }
    var modified: FileTime { FileTime(raw.stx_mtime) }
    var changed: FileTime { FileTime(raw.stx_ctime) }
    /// Nil where the filesystem keeps no creation time.
    var created: FileTime? { raw.stx_mask & CBENCH_STATX_BTIME != 0 ? FileTime(raw.stx_btime) : nil }
    var device: (major: UInt32, minor: UInt32) { (raw.stx_rdev_major, raw.stx_rdev_minor) }
    var filesystem: (major: UInt32, minor: UInt32) { (raw.stx_dev_major, raw.stx_dev_minor) }
}

/// One entry of a directory (getdents64(2)).
struct DirectoryEntry: Sendable {
    var name: Path
    var inode: UInt64
    /// DT_*: see ``FileKind/entryType``.
    var type: UInt8
    /// What a read after this entry continues at.
    var nextOffset: Int64
}
