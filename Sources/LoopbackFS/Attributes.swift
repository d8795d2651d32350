import CFUSE
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// `struct statx` by a name that no method has.
typealias FileStatus = statx

extension FileStatus {
    /// `S_IFREG` and the like. Named here: CLinux and Glibc both have C's macros.
    static let typeMask: UInt32 = 0o170000
    static let directoryType: UInt32 = 0o040000
    static let regularType: UInt32 = 0o100000

    /// The file type bits of the mode.
    var fileType: UInt32 { UInt32(stx_mode) & FileStatus.typeMask }
    var isDirectory: Bool { fileType == FileStatus.directoryType }
    /// The file's identity on its filesystem.
    func identity(in fileSystem: BackingFileSystem) -> FileIdentity {
        FileIdentity(fileSystem: fileSystem.index, inode: stx_ino)
    }
    /// Whether it is set-user-id or set-group-id.
    var hasSetID: Bool { UInt32(stx_mode) & 0o6000 != 0 }
}

/// What clients see of a file, from what statx(2) tells of it.
enum Attributes {
    /// `STATX_BASIC_STATS`, what stat(2) tells, and the mount.
    static let basicMask: UInt32 = 0x7ff | CLINUX_STATX_MNT_ID_UNIQUE
    /// What clients may ask for: `STATX_BASIC_STATS` and the time of creation, `STATX_BTIME`.
    static let fullMask: UInt32 = 0xfff

    /// Of a descriptor.
    static func of(_ descriptor: CInt, mask: UInt32 = basicMask) throws(Errno) -> FileStatus {
        var status = FileStatus()
        _ = try Errno.check { unsafe clinux_statx(descriptor, "", CLINUX_AT_EMPTY_PATH, mask, &status) }
        return status
    }

    /// Of an entry of a directory; a symbolic link is not followed and nothing is mounted.
    static func of(_ name: UnsafePointer<CChar>, in directory: CInt) throws(Errno) -> FileStatus {
        var status = FileStatus()
        let flags = AT_SYMLINK_NOFOLLOW | CLINUX_AT_NO_AUTOMOUNT
        _ = try Errno.check { unsafe clinux_statx(directory, name, flags, basicMask, &status) }
        return status
    }

    /// As GETATTR and LOOKUP reply them; `inode` is the number that clients see.
    static func fuse(_ status: borrowing FileStatus, inode: UInt64) -> fuse_attr {
        var attributes = fuse_attr()
        attributes.ino = inode
        attributes.size = status.stx_size
        attributes.blocks = status.stx_blocks
        attributes.atime = UInt64(bitPattern: status.stx_atime.tv_sec)
        attributes.mtime = UInt64(bitPattern: status.stx_mtime.tv_sec)
        attributes.ctime = UInt64(bitPattern: status.stx_ctime.tv_sec)
        attributes.atimensec = status.stx_atime.tv_nsec
        attributes.mtimensec = status.stx_mtime.tv_nsec
        attributes.ctimensec = status.stx_ctime.tv_nsec
        attributes.mode = UInt32(status.stx_mode)
        attributes.nlink = status.stx_nlink
        attributes.uid = status.stx_uid
        attributes.gid = status.stx_gid
        attributes.rdev = encodedDevice(major: status.stx_rdev_major, minor: status.stx_rdev_minor)
        attributes.blksize = status.stx_blksize
        return attributes
    }

    /// As STATX replies them.
    static func fuseStatx(_ status: borrowing FileStatus, inode: UInt64) -> cfuse_statx {
        var out = cfuse_statx()
        out.mask = status.stx_mask & fullMask
        out.blksize = status.stx_blksize
        out.attributes = status.stx_attributes
        out.attributes_mask = status.stx_attributes_mask
        out.nlink = status.stx_nlink
        out.uid = status.stx_uid
        out.gid = status.stx_gid
        out.mode = status.stx_mode
        out.ino = inode
        out.size = status.stx_size
        out.blocks = status.stx_blocks
        out.atime = time(status.stx_atime)
        out.btime = time(status.stx_btime)
        out.ctime = time(status.stx_ctime)
        out.mtime = time(status.stx_mtime)
        out.rdev_major = status.stx_rdev_major
        out.rdev_minor = status.stx_rdev_minor
        return out
    }

    private static func time(_ time: statx_timestamp) -> cfuse_sx_time {
        cfuse_sx_time(tv_sec: time.tv_sec, tv_nsec: time.tv_nsec, reserved: 0)
    }

    /// A device number as the protocol has it: the kernel's `new_encode_dev`.
    static func encodedDevice(major: UInt32, minor: UInt32) -> UInt32 {
        (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)
    }

    /// The kernel's `new_decode_dev`.
    static func decodedDevice(_ device: UInt32) -> (major: UInt32, minor: UInt32) {
        ((device & 0xf_ff00) >> 8, (device & 0xff) | ((device >> 12) & 0xf_ff00))
    }
}
