/// The node ids and inode numbers that clients see, as a function of a file's identity.
///
/// A pure function wherever possible, so that a file handle (NFS export, open_by_handle_at(2)) which holds a node id
/// outlives FORGET and a restart of the daemon. As long as the kernel holds a node id it never means another file, though
/// the source may have used the inode number again: a request that was allowed for the one must not reach the other. So
/// a part of the generation belongs to it.
enum NodeID {
    /// `FUSE_ROOT_ID`.
    static let root: UInt64 = 1
    /// From the lowest: inode number, generation, the filesystem's index, ``sequenceBit``.
    private static let inodeBits: UInt64 = 48
    private static let generationBits: UInt64 = 8
    /// Marks numbers that were dealt out in sequence and say nothing.
    private static let sequenceBit: UInt64 = 1 << 63

    /// The node id of a file, or nil if its inode number is too large for one: then ``sequenced(_:)`` names it.
    ///
    /// - Parameter generation: tells the file from others that have had its inode number.
    static func packed(_ identity: FileIdentity, generation: UInt32) -> UInt64? {
        guard identity.inode >> inodeBits == 0, identity.inode != 0, identity.fileSystem < 1 << 7 else { return nil }
        let generation = UInt64(generation) & (1 << generationBits - 1)
        let node =
            UInt64(identity.fileSystem) << (inodeBits + generationBits) | generation << inodeBits | identity.inode
        return node == root ? nil : node
    }

    /// The file of a node id made by ``packed(_:generation:)``; nil for the root and for sequence numbers.
    static func unpacked(_ node: UInt64) -> FileIdentity? {
        guard node != root, node & sequenceBit == 0 else { return nil }
        return FileIdentity(
            fileSystem: Int(node >> (inodeBits + generationBits)), inode: node & (1 << inodeBits - 1))
    }

    /// A node id for the `number`th file that has no packed one.
    static func sequenced(_ number: UInt64) -> UInt64 {
        sequenceBit | number
    }

    /// The inode number that clients see: the file's own on the source's filesystem, else one unique among all, but for
    /// numbers that are too large for that.
    static func visibleNumber(_ identity: FileIdentity) -> UInt64 {
        identity.fileSystem == 0 ? identity.inode : packed(identity, generation: 0) ?? identity.inode
    }
}
