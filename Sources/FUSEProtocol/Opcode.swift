import CFUSE

/// What a request asks for: `enum fuse_opcode` of `<linux/fuse.h>`.
public struct Opcode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    // Computed, so that a comparison with one is a comparison with a number in other modules, too.
    @inlinable public static var lookup: Opcode { Opcode(rawValue: 1) }
    @inlinable public static var forget: Opcode { Opcode(rawValue: 2) }
    @inlinable public static var getattr: Opcode { Opcode(rawValue: 3) }
    @inlinable public static var setattr: Opcode { Opcode(rawValue: 4) }
    @inlinable public static var readlink: Opcode { Opcode(rawValue: 5) }
    @inlinable public static var symlink: Opcode { Opcode(rawValue: 6) }
    @inlinable public static var mknod: Opcode { Opcode(rawValue: 8) }
    @inlinable public static var mkdir: Opcode { Opcode(rawValue: 9) }
    @inlinable public static var unlink: Opcode { Opcode(rawValue: 10) }
    @inlinable public static var rmdir: Opcode { Opcode(rawValue: 11) }
    @inlinable public static var rename: Opcode { Opcode(rawValue: 12) }
    @inlinable public static var link: Opcode { Opcode(rawValue: 13) }
    @inlinable public static var open: Opcode { Opcode(rawValue: 14) }
    @inlinable public static var read: Opcode { Opcode(rawValue: 15) }
    @inlinable public static var write: Opcode { Opcode(rawValue: 16) }
    @inlinable public static var statfs: Opcode { Opcode(rawValue: 17) }
    @inlinable public static var release: Opcode { Opcode(rawValue: 18) }
    @inlinable public static var fsync: Opcode { Opcode(rawValue: 20) }
    @inlinable public static var setxattr: Opcode { Opcode(rawValue: 21) }
    @inlinable public static var getxattr: Opcode { Opcode(rawValue: 22) }
    @inlinable public static var listxattr: Opcode { Opcode(rawValue: 23) }
    @inlinable public static var removexattr: Opcode { Opcode(rawValue: 24) }
    @inlinable public static var flush: Opcode { Opcode(rawValue: 25) }
    @inlinable public static var `init`: Opcode { Opcode(rawValue: 26) }
    @inlinable public static var opendir: Opcode { Opcode(rawValue: 27) }
    @inlinable public static var readdir: Opcode { Opcode(rawValue: 28) }
    @inlinable public static var releasedir: Opcode { Opcode(rawValue: 29) }
    @inlinable public static var fsyncdir: Opcode { Opcode(rawValue: 30) }
    @inlinable public static var getlk: Opcode { Opcode(rawValue: 31) }
    @inlinable public static var setlk: Opcode { Opcode(rawValue: 32) }
    @inlinable public static var setlkw: Opcode { Opcode(rawValue: 33) }
    @inlinable public static var access: Opcode { Opcode(rawValue: 34) }
    @inlinable public static var create: Opcode { Opcode(rawValue: 35) }
    @inlinable public static var interrupt: Opcode { Opcode(rawValue: 36) }
    @inlinable public static var bmap: Opcode { Opcode(rawValue: 37) }
    @inlinable public static var destroy: Opcode { Opcode(rawValue: 38) }
    @inlinable public static var ioctl: Opcode { Opcode(rawValue: 39) }
    @inlinable public static var poll: Opcode { Opcode(rawValue: 40) }
    @inlinable public static var notifyReply: Opcode { Opcode(rawValue: 41) }
    @inlinable public static var batchForget: Opcode { Opcode(rawValue: 42) }
    @inlinable public static var fallocate: Opcode { Opcode(rawValue: 43) }
    @inlinable public static var readdirplus: Opcode { Opcode(rawValue: 44) }
    @inlinable public static var rename2: Opcode { Opcode(rawValue: 45) }
    @inlinable public static var lseek: Opcode { Opcode(rawValue: 46) }
    @inlinable public static var copyFileRange: Opcode { Opcode(rawValue: 47) }
    @inlinable public static var syncfs: Opcode { Opcode(rawValue: 50) }
    @inlinable public static var tmpfile: Opcode { Opcode(rawValue: 51) }
    @inlinable public static var statx: Opcode { Opcode(rawValue: 52) }
    @inlinable public static var copyFileRange64: Opcode { Opcode(rawValue: 53) }

    /// One more than the largest opcode of the table; counters are arrays of this size.
    public static let tableSize = 64

    /// How this opcode's message is laid out; nil for one that this server does not know.
    @inlinable
    public var layout: OpcodeLayout? {
        rawValue < UInt32(Opcode.tableSize) ? OpcodeLayout.table[Int(rawValue)] : nil
    }

    /// Bytes of this opcode's argument struct; 0 for an unknown one.
    @inlinable
    public var argumentSize: Int {
        rawValue < UInt32(Opcode.tableSize) ? OpcodeLayout.argumentSizes[Int(rawValue)] : 0
    }
}

extension Opcode: CustomStringConvertible {
    /// The kernel's name without its prefix (`LOOKUP`), or the number of an unknown opcode.
    public var description: String {
        layout.map { "\($0.name)" } ?? "OPCODE_\(rawValue)"
    }
}

/// How a request of one opcode is laid out on the wire, and whether it is answered.
///
/// On `/dev/fuse` a message is header, argument struct and payload, one behind the other; on the ring the argument
/// struct travels in `op_in` and the payload in a buffer of its own. The payload is names (each ends with NUL), data, or
/// names and then data.
public struct OpcodeLayout: Sendable {
    /// The kernel's name without its prefix.
    public let name: StaticString
    /// Bytes of the argument struct.
    public let argumentSize: Int
    /// NUL-terminated names at the start of the payload.
    public let names: Int
    /// False for FORGET and BATCH_FORGET only.
    public let replies: Bool

    init<Argument>(_ name: StaticString, _ argument: Argument.Type, names: Int = 0, replies: Bool = true) {
        self.name = name
        self.argumentSize = MemoryLayout<Argument>.size
        self.names = names
        self.replies = replies
    }

    /// Of each opcode, by its number: asked for with every request.
    @usableFromInline
    static let argumentSizes = table.map { $0?.argumentSize ?? 0 }

    @usableFromInline
    static let table: [OpcodeLayout?] = {
        var table = [OpcodeLayout?](repeating: nil, count: Opcode.tableSize)
        func add(_ opcode: Opcode, _ layout: OpcodeLayout) { table[Int(opcode.rawValue)] = layout }

        add(.lookup, OpcodeLayout("LOOKUP", Void.self, names: 1))
        add(.forget, OpcodeLayout("FORGET", fuse_forget_in.self, replies: false))
        add(.getattr, OpcodeLayout("GETATTR", fuse_getattr_in.self))
        add(.setattr, OpcodeLayout("SETATTR", fuse_setattr_in.self))
        add(.readlink, OpcodeLayout("READLINK", Void.self))
        add(.symlink, OpcodeLayout("SYMLINK", Void.self, names: 2))
        add(.mknod, OpcodeLayout("MKNOD", fuse_mknod_in.self, names: 1))
        add(.mkdir, OpcodeLayout("MKDIR", fuse_mkdir_in.self, names: 1))
        add(.unlink, OpcodeLayout("UNLINK", Void.self, names: 1))
        add(.rmdir, OpcodeLayout("RMDIR", Void.self, names: 1))
        add(.rename, OpcodeLayout("RENAME", fuse_rename_in.self, names: 2))
        add(.link, OpcodeLayout("LINK", fuse_link_in.self, names: 1))
        add(.open, OpcodeLayout("OPEN", fuse_open_in.self))
        add(.read, OpcodeLayout("READ", fuse_read_in.self))
        add(.write, OpcodeLayout("WRITE", fuse_write_in.self))
        add(.statfs, OpcodeLayout("STATFS", Void.self))
        add(.release, OpcodeLayout("RELEASE", fuse_release_in.self))
        add(.fsync, OpcodeLayout("FSYNC", fuse_fsync_in.self))
        add(.setxattr, OpcodeLayout("SETXATTR", fuse_setxattr_in.self, names: 1))
        add(.getxattr, OpcodeLayout("GETXATTR", fuse_getxattr_in.self, names: 1))
        add(.listxattr, OpcodeLayout("LISTXATTR", fuse_getxattr_in.self))
        add(.removexattr, OpcodeLayout("REMOVEXATTR", Void.self, names: 1))
        add(.flush, OpcodeLayout("FLUSH", fuse_flush_in.self))
        add(.`init`, OpcodeLayout("INIT", fuse_init_in.self))
        add(.opendir, OpcodeLayout("OPENDIR", fuse_open_in.self))
        add(.readdir, OpcodeLayout("READDIR", fuse_read_in.self))
        add(.releasedir, OpcodeLayout("RELEASEDIR", fuse_release_in.self))
        add(.fsyncdir, OpcodeLayout("FSYNCDIR", fuse_fsync_in.self))
        add(.getlk, OpcodeLayout("GETLK", fuse_lk_in.self))
        add(.setlk, OpcodeLayout("SETLK", fuse_lk_in.self))
        add(.setlkw, OpcodeLayout("SETLKW", fuse_lk_in.self))
        add(.access, OpcodeLayout("ACCESS", fuse_access_in.self))
        add(.create, OpcodeLayout("CREATE", fuse_create_in.self, names: 1))
        add(.interrupt, OpcodeLayout("INTERRUPT", fuse_interrupt_in.self))
        add(.bmap, OpcodeLayout("BMAP", fuse_bmap_in.self))
        add(.destroy, OpcodeLayout("DESTROY", Void.self))
        add(.ioctl, OpcodeLayout("IOCTL", fuse_ioctl_in.self))
        add(.poll, OpcodeLayout("POLL", fuse_poll_in.self))
        add(.notifyReply, OpcodeLayout("NOTIFY_REPLY", fuse_notify_retrieve_in.self, replies: false))
        add(.batchForget, OpcodeLayout("BATCH_FORGET", fuse_batch_forget_in.self, replies: false))
        add(.fallocate, OpcodeLayout("FALLOCATE", fuse_fallocate_in.self))
        add(.readdirplus, OpcodeLayout("READDIRPLUS", fuse_read_in.self))
        add(.rename2, OpcodeLayout("RENAME2", fuse_rename2_in.self, names: 2))
        add(.lseek, OpcodeLayout("LSEEK", fuse_lseek_in.self))
        add(.copyFileRange, OpcodeLayout("COPY_FILE_RANGE", fuse_copy_file_range_in.self))
        add(.syncfs, OpcodeLayout("SYNCFS", fuse_syncfs_in.self))
        add(.tmpfile, OpcodeLayout("TMPFILE", fuse_create_in.self, names: 1))
        add(.statx, OpcodeLayout("STATX", cfuse_statx_in.self))
        add(.copyFileRange64, OpcodeLayout("COPY_FILE_RANGE_64", fuse_copy_file_range_in.self))
        return table
    }()
}
