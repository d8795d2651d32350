import CFUSE

/// What a request asks for: `enum fuse_opcode` of `<linux/fuse.h>`.
@usableFromInline
package struct Opcode: RawRepresentable, Hashable, Sendable {
    @usableFromInline package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    // Computed, so that a comparison with one is a comparison with a number in other modules, too.
    @inlinable package static var lookup: Opcode { Opcode(rawValue: 1) }
    @inlinable package static var forget: Opcode { Opcode(rawValue: 2) }
    @inlinable package static var getattr: Opcode { Opcode(rawValue: 3) }
    @inlinable package static var setattr: Opcode { Opcode(rawValue: 4) }
    @inlinable package static var readlink: Opcode { Opcode(rawValue: 5) }
    @inlinable package static var symlink: Opcode { Opcode(rawValue: 6) }
    @inlinable package static var mknod: Opcode { Opcode(rawValue: 8) }
    @inlinable package static var mkdir: Opcode { Opcode(rawValue: 9) }
    @inlinable package static var unlink: Opcode { Opcode(rawValue: 10) }
    @inlinable package static var rmdir: Opcode { Opcode(rawValue: 11) }
    @inlinable package static var rename: Opcode { Opcode(rawValue: 12) }
    @inlinable package static var link: Opcode { Opcode(rawValue: 13) }
    @inlinable package static var open: Opcode { Opcode(rawValue: 14) }
    @inlinable package static var read: Opcode { Opcode(rawValue: 15) }
    @inlinable package static var write: Opcode { Opcode(rawValue: 16) }
    @inlinable package static var statfs: Opcode { Opcode(rawValue: 17) }
    @inlinable package static var release: Opcode { Opcode(rawValue: 18) }
    @inlinable package static var fsync: Opcode { Opcode(rawValue: 20) }
    @inlinable package static var setxattr: Opcode { Opcode(rawValue: 21) }
    @inlinable package static var getxattr: Opcode { Opcode(rawValue: 22) }
    @inlinable package static var listxattr: Opcode { Opcode(rawValue: 23) }
    @inlinable package static var removexattr: Opcode { Opcode(rawValue: 24) }
    @inlinable package static var flush: Opcode { Opcode(rawValue: 25) }
    @inlinable package static var `init`: Opcode { Opcode(rawValue: 26) }
    @inlinable package static var opendir: Opcode { Opcode(rawValue: 27) }
    @inlinable package static var readdir: Opcode { Opcode(rawValue: 28) }
    @inlinable package static var releasedir: Opcode { Opcode(rawValue: 29) }
    @inlinable package static var fsyncdir: Opcode { Opcode(rawValue: 30) }
    @inlinable package static var getlk: Opcode { Opcode(rawValue: 31) }
    @inlinable package static var setlk: Opcode { Opcode(rawValue: 32) }
    @inlinable package static var setlkw: Opcode { Opcode(rawValue: 33) }
    @inlinable package static var access: Opcode { Opcode(rawValue: 34) }
    @inlinable package static var create: Opcode { Opcode(rawValue: 35) }
    @inlinable package static var interrupt: Opcode { Opcode(rawValue: 36) }
    @inlinable package static var bmap: Opcode { Opcode(rawValue: 37) }
    @inlinable package static var destroy: Opcode { Opcode(rawValue: 38) }
    @inlinable package static var ioctl: Opcode { Opcode(rawValue: 39) }
    @inlinable package static var poll: Opcode { Opcode(rawValue: 40) }
    @inlinable package static var notifyReply: Opcode { Opcode(rawValue: 41) }
    @inlinable package static var batchForget: Opcode { Opcode(rawValue: 42) }
    @inlinable package static var fallocate: Opcode { Opcode(rawValue: 43) }
    @inlinable package static var readdirplus: Opcode { Opcode(rawValue: 44) }
    @inlinable package static var rename2: Opcode { Opcode(rawValue: 45) }
    @inlinable package static var lseek: Opcode { Opcode(rawValue: 46) }
    @inlinable package static var copyFileRange: Opcode { Opcode(rawValue: 47) }
    @inlinable package static var syncfs: Opcode { Opcode(rawValue: 50) }
    @inlinable package static var tmpfile: Opcode { Opcode(rawValue: 51) }
    @inlinable package static var statx: Opcode { Opcode(rawValue: 52) }
    @inlinable package static var copyFileRange64: Opcode { Opcode(rawValue: 53) }

    /// One more than the largest opcode of the table; counters are arrays of this size.
    @inlinable package static var tableSize: Int { 64 }

    /// How this opcode's message is laid out; nil for one that this server does not know.
    @inlinable
    package var layout: OpcodeLayout? {
        rawValue < UInt32(Opcode.tableSize) ? OpcodeLayout.table[Int(rawValue)] : nil
    }

    /// Whether a reply to this opcode may have a body; not to an unknown one.
    package var hasBody: Bool {
        rawValue < UInt32(Opcode.tableSize) ? OpcodeLayout.bodies[Int(rawValue)] : false
    }

    /// Bytes of this opcode's argument struct; 0 for an unknown one.
    @inlinable
    package var argumentSize: Int {
        rawValue < UInt32(Opcode.tableSize) ? OpcodeLayout.argumentSizes[Int(rawValue)] : 0
    }
}

extension Opcode: CustomStringConvertible {
    /// The kernel's name without its prefix (`LOOKUP`), or the number of an unknown opcode.
    @usableFromInline
    package var description: String {
        layout.map { "\($0.name)" } ?? "OPCODE_\(rawValue)"
    }
}
