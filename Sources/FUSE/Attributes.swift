import CFUSE
import Glibc

/// What a file is: the type bits of `st_mode`.
public struct FileKind: RawRepresentable, Hashable, Sendable {
    /// `S_IFREG` and its like.
    public let rawValue: UInt32

    /// The kind of a mode; its other bits are dropped.
    public init(rawValue: UInt32) { self.rawValue = rawValue & S_IFMT }

    /// A regular file.
    public static let file = FileKind(rawValue: S_IFREG)
    /// A directory.
    public static let directory = FileKind(rawValue: S_IFDIR)
    /// A symbolic link.
    public static let symbolicLink = FileKind(rawValue: S_IFLNK)
    /// A FIFO.
    public static let fifo = FileKind(rawValue: S_IFIFO)
    /// A socket.
    public static let socket = FileKind(rawValue: S_IFSOCK)
    /// A character device.
    public static let characterDevice = FileKind(rawValue: S_IFCHR)
    /// A block device.
    public static let blockDevice = FileKind(rawValue: S_IFBLK)

    /// As a directory entry has it (`DT_REG` and its like).
    var entryType: UInt32 { rawValue >> 12 }
}

/// A point in time, since 1970 and without leap seconds: `struct timespec`.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Seconds; negative before 1970.
    public var seconds: Int64
    /// From 0 to 999,999,999.
    public var nanoseconds: UInt32

    /// The time of a timespec.
    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The system's time (clock_gettime(2), CLOCK_REALTIME).
    public static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
    }

    /// The earlier one comes first.
    public static func < (one: Timestamp, other: Timestamp) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }
}

/// What stat(2) tells of a file.
public struct Attributes: Hashable, Sendable {
    /// What the file is. It never changes.
    public var kind: FileKind
    /// The lower twelve bits of `st_mode`: permissions, set-id bits and the sticky bit.
    public var permissions: UInt16
    /// Bytes of the content.
    public var size: UInt64
    /// Names that the file has; of a directory also `.`, and `..` of each directory in it.
    public var links: UInt32
    /// The owner's user id.
    public var user: UInt32
    /// The owning group's id.
    public var group: UInt32
    /// Of a device, its number, as the kernel encodes it: `(minor & 0xff) | major << 8 | (minor & ~0xff) << 12`.
    public var device: UInt32
    /// Units of 512 bytes that the content takes.
    public var blocks: UInt64
    /// What a read or write had best be a multiple of, in bytes.
    public var blockSize: UInt32
    /// When it was read last.
    public var accessed: Timestamp
    /// When its content was changed last.
    public var modified: Timestamp
    /// When content or attributes were changed last.
    public var changed: Timestamp
    /// The inode number that clients see; nil for the node's id.
    public var number: UInt64?

    /// Attributes of a file that takes as many blocks as its size needs, and whose times are all `time`.
    public init(
        _ kind: FileKind, permissions: UInt16, size: Int = 0, links: UInt32? = nil, user: UInt32 = 0, group: UInt32 = 0,
        device: UInt32 = 0, time: Timestamp = Timestamp(seconds: 0)
    ) {
        self.kind = kind
        self.permissions = permissions
        self.size = UInt64(size)
        self.links = links ?? (kind == .directory ? 2 : 1)
        self.user = user
        self.group = group
        self.device = device
        blocks = (UInt64(size) + 511) / 512
        blockSize = 4096
        accessed = time
        modified = time
        changed = time
    }

    /// As the kernel takes them.
    func encoded(_ node: NodeID) -> fuse_attr {
        fuse_attr(
            ino: number ?? node.rawValue, size: size, blocks: blocks,
            atime: UInt64(bitPattern: accessed.seconds), mtime: UInt64(bitPattern: modified.seconds),
            ctime: UInt64(bitPattern: changed.seconds), atimensec: accessed.nanoseconds,
            mtimensec: modified.nanoseconds, ctimensec: changed.nanoseconds,
            mode: kind.rawValue | UInt32(permissions & 0o7777), nlink: links, uid: user, gid: group, rdev: device,
            blksize: blockSize, flags: 0)
    }
}

/// What a SETATTR asks to be changed: chmod(2), chown(2), truncate(2), utimensat(2) and what the kernel does on its own, one or
/// several at once. What is nil stays.
public struct AttributeChanges: Hashable, Sendable {
    /// Permissions, set-id bits and the sticky bit.
    public var permissions: UInt16?
    /// The owner's user id.
    public var user: UInt32?
    /// The owning group's id.
    public var group: UInt32?
    /// Bytes of the content: what is beyond is cut off, what is missing reads as zeros.
    public var size: UInt64?
    /// When it was read last.
    public var accessed: Timestamp?
    /// When its content was changed last.
    public var modified: Timestamp?
    /// When anything was changed last; only with a writeback cache, where the kernel keeps the time.
    public var changed: Timestamp?
    /// The open file that the change came through; nil for a path.
    public var handle: HandleID?

    /// No change.
    public init() {}

    init(_ arguments: fuse_setattr_in) {
        func has(_ flag: Int32) -> Bool { arguments.valid & UInt32(flag) != 0 }
        if has(FATTR_MODE) { permissions = UInt16(arguments.mode & 0o7777) }
        if has(FATTR_UID) { user = arguments.uid }
        if has(FATTR_GID) { group = arguments.gid }
        if has(FATTR_SIZE) { size = arguments.size }
        if has(FATTR_ATIME) {
            accessed =
                has(FATTR_ATIME_NOW)
                ? .now : Timestamp(seconds: Int64(bitPattern: arguments.atime), nanoseconds: arguments.atimensec)
        }
        if has(FATTR_MTIME) {
            modified =
                has(FATTR_MTIME_NOW)
                ? .now : Timestamp(seconds: Int64(bitPattern: arguments.mtime), nanoseconds: arguments.mtimensec)
        }
        if has(FATTR_CTIME) {
            changed = Timestamp(seconds: Int64(bitPattern: arguments.ctime), nanoseconds: arguments.ctimensec)
        }
        if has(FATTR_FH) { handle = HandleID(rawValue: arguments.fh) }
    }

    /// Applies what is asked for, with `changed` as the time of the change.
    ///
    /// The content is the caller's to cut or to grow; `size` and `blocks` are set here, as for a file without holes.
    public func apply(to attributes: inout Attributes, at time: Timestamp = .now) {
        if let permissions { attributes.permissions = permissions }
        if let user { attributes.user = user }
        if let group { attributes.group = group }
        if let size {
            attributes.size = size
            attributes.blocks = (size + 511) / 512
            attributes.modified = time
        }
        if let accessed { attributes.accessed = accessed }
        if let modified { attributes.modified = modified }
        attributes.changed = changed ?? time
    }
}
