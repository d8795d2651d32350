import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// One of the filesystems that the source spans.
final class BackingFileSystem: Sendable {
    /// Order of discovery; 0 is the source directory's own.
    let index: Int
    let mount: BackingMount
    /// Its files can be found again by handle.
    let hasHandles: Bool
    /// close(2) has nothing to report, so FLUSH need not ask: true for the filesystems of local disks and memory.
    let isLocal: Bool
    /// Its files are made up as they are read, and say that they are empty (proc, debugfs, cgroup2): a page cache, which
    /// reads up to the size, would find nothing in them. Such filesystems have no blocks.
    let isSynthetic: Bool
    /// Its files are in memory (tmpfs).
    let isInMemory: Bool
    /// io_uring writes to its page cache at once. To that of all others a thread of io_uring's own does (`FOP_BUFFER_WASYNC`).
    let isWrittenAtOnce: Bool
    private let kind: Kind

    /// Filesystems whose handles we know how to read; from `f_type` of statfs(2).
    private enum Kind {
        case ext4
        case btrfs(subvolume: UInt64)
        /// With handles of 64-bit inode numbers, or of 32-bit ones (mount option `inode32`).
        case xfs(is64Bit: Bool)
        case tmpfs
        case other
    }

    /// - Parameter member: a descriptor of a file on it; borrowed.
    init(index: Int, mount: BackingMount, member: CInt, usesHandles: Bool) {
        self.index = index
        self.mount = mount
        var status = statfs()
        let known = (try? Errno.check { unsafe fstatfs(member, &status) }) != nil
        let magic = known ? UInt32(truncatingIfNeeded: status.f_type) : 0
        isLocal = [0xEF53, 0x9123_683E, 0x5846_5342, 0x0102_1994, 0xF2F5_2010, 0x8584_58F6].contains(magic)
        isSynthetic = known && status.f_blocks == 0 && !isLocal
        isInMemory = magic == 0x0102_1994
        // btrfs and XFS; for tmpfs see `LoopbackFS.haveDoneInPlace`.
        isWrittenAtOnce = isInMemory || [0x9123_683E, 0x5846_5342].contains(magic)

        var template: FileHandle?
        if usesHandles, let use = try? mount.use() { template = FileHandle(tryingOn: use.descriptor, of: member) }
        hasHandles = template != nil
        switch (magic, template?.format) {
        case (0xEF53, 1): kind = .ext4
        case (0x9123_683E, 0x4d): kind = .btrfs(subvolume: template?[word: 1] ?? 0)
        case (0x5846_5342, 0x81): kind = .xfs(is64Bit: true)
        case (0x5846_5342, 1): kind = .xfs(is64Bit: false)
        case (0x0102_1994, 1): kind = .tmpfs
        default: kind = .other
        }
    }

    /// The inode number in a handle; nil if the format is not known.
    func inode(of handle: FileHandle) -> UInt64? {
        switch (kind, handle.format) {
        case (.ext4, 1), (.xfs, 1): handle[word: 0] & 0xffff_ffff
        case (.btrfs, 0x4d), (.xfs, 0x81): handle[word: 0]
        // The generation comes first (shmem_encode_fh() in mm/shmem.c).
        case (.tmpfs, 1): handle[word: 0] >> 32 | handle[word: 1] << 32
        default: nil
        }
    }

    /// Whether ``inode(of:)`` knows the format of its handles, so that a handle taken by name can be told to be that of the
    /// file whose status was read by the same name.
    var readsHandles: Bool {
        if case .other = kind { return false }
        return hasHandles
    }

    /// Whether ``handle(inode:)`` makes its handles, so that those of forgotten inodes need not be remembered.
    var makesHandles: Bool {
        if case .tmpfs = kind { return false }
        return readsHandles
    }

    /// A handle that opens whichever file has this inode number: a generation of 0 matches all on ext4
    /// (`FILEID_INO32_GEN`) and btrfs (`FILEID_BTRFS_WITHOUT_PARENT`); XFS tells the present one. tmpfs wants the right
    /// one, and tells nobody.
    func handle(inode: UInt64) -> FileHandle? {
        switch kind {
        case .ext4: FileHandle(type: 1, byteCount: 8, words: [inode & 0xffff_ffff, 0, 0, 0])
        case .btrfs(let subvolume): FileHandle(type: 0x4d, byteCount: 20, words: [inode, subvolume, 0, 0])
        case .xfs(let is64Bit): xfsHandle(inode: inode, is64Bit: is64Bit)
        case .tmpfs, .other: nil
        }
    }
}

extension BackingFileSystem {
    private func xfsHandle(inode: UInt64, is64Bit: Bool) -> FileHandle? {
        var generation: UInt32 = 0
        guard let use = try? mount.use(),
            (try? Errno.check { unsafe clinux_xfs_generation(use.descriptor, inode, &generation) }) != nil
        else { return nil }
        if is64Bit { return FileHandle(type: 0x81, byteCount: 12, words: [inode, UInt64(generation), 0, 0]) }
        let words: SIMD4<UInt64> = [inode & 0xffff_ffff | UInt64(generation) << 32, 0, 0, 0]
        return FileHandle(type: 1, byteCount: 8, words: words)
    }
}
