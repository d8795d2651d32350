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
