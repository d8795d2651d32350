/// A file's identity among all that the source spans: filesystem and inode number.
struct FileIdentity: Hashable {
    /// ``BackingFileSystem/index``; 0 is the source directory's own.
    let fileSystem: Int
    /// `st_ino`.
    let inode: UInt64
}

/// The node ids and inode numbers that clients see, as a function of a file's identity.
///
/// A pure function wherever possible, so that a file handle (NFS export, open_by_handle_at(2)) which holds a node id
/// outlives FORGET and a restart of the daemon. Node ids are also what clients see as `st_ino`, except for the root.
enum NodeID {
    /// `FUSE_ROOT_ID`.
    static let root: UInt64 = 1
    /// Bits below the filesystem's index.
    private static let inodeBits: UInt64 = 48
    /// Marks numbers that were dealt out in sequence and say nothing.
    private static let sequenceBit: UInt64 = 1 << 63

    /// The node id of a file, or nil if its inode number is too large for one: then ``sequenced(_:)`` names it.
    static func packed(_ identity: FileIdentity) -> UInt64? {
        guard identity.inode >> inodeBits == 0, identity.inode != 0, identity.fileSystem < 1 << 15 else { return nil }
        if identity.fileSystem == 0 && identity.inode == root { return nil }
        return UInt64(identity.fileSystem) << inodeBits | identity.inode
    }

    /// The file of a node id made by ``packed(_:)``; nil for the root and for sequence numbers.
    static func unpacked(_ node: UInt64) -> FileIdentity? {
        guard node != root, node & sequenceBit == 0 else { return nil }
        return FileIdentity(fileSystem: Int(node >> inodeBits), inode: node & (1 << inodeBits - 1))
    }

    /// A node id for the `number`th file that has no packed one.
    static func sequenced(_ number: UInt64) -> UInt64 {
        sequenceBit | number
    }
}
