import LinuxSystem
import Synchronization

/// The inodes that the kernel holds references to, by node id and by the file.
///
/// In shards, each with a lock of its own, which is a leaf: no other is taken and no system call made under it. All inodes
/// of one inode number are in the same shard, so that a file's node id is found or made in one step.
final class InodeTable: Sendable {
    private static let shardBits: UInt64 = 6
    private let root: Inode
    private let shards: [Lock<Shard>]
    private let total = Atomic<Int>(1)
    /// Node ids dealt out in sequence.
    private let sequence = Atomic<UInt64>(0)

    private struct Shard {
        /// The latest inode of each number: the only one whose file can still be there.
        var latest: [FileIdentity: Inode] = [:]
        /// Those that ``latest`` does not lead to by their node id: of a sequence number, and those whose inode number
        /// has been used again.
        var others: [UInt64: Inode] = [:]

        func inode(_ node: UInt64) -> Inode? {
            if let identity = NodeID.unpacked(node), let inode = latest[identity], inode.node == node { return inode }
            return others.isEmpty ? nil : others[node]
        }
    }

    init(root: Inode) {
        self.root = root
        shards = (0..<1 << InodeTable.shardBits).map { _ in Lock(Shard()) }
        shards[InodeTable.index(root.identity)].withLock { $0.latest[root.identity] = root }
    }

    /// The inode of a node id, without a reference of the kernel's.
    subscript(node: UInt64) -> Inode? {
        node == NodeID.root ? root : shard(node).withLock { $0.inode(node) }
    }

    /// Inodes held.
    var count: Int { total.load(ordering: .relaxed) }

    /// The latest inode of this number, without a reference of the kernel's. Its file may be gone and the number another's.
    func latest(_ identity: FileIdentity) -> Inode? {
        shards[InodeTable.index(identity)].withLock { $0.latest[identity] }
    }

    /// The inode of a file, with one more reference of the kernel's.
    ///
    /// - Parameter handle: the file's, if its filesystem has handles.
    func find(_ identity: FileIdentity, _ handle: FileHandle?) -> Inode? {
        shards[InodeTable.index(identity)].withLock { shard in
            guard let inode = shard.latest[identity], inode.handle == handle else { return nil }
            inode.references.add(1, ordering: .relaxed)
            return inode
        }
    }

    /// Counts a reference of the kernel's to an inode.
    ///
    /// - Returns: false if the inode has left the table in the meantime.
    func reference(_ inode: Inode) -> Bool {
        if inode === root { return true }
        return shard(inode.node).withLock { shard in
            guard shard.inode(inode.node) === inode else { return false }
            inode.references.add(1, ordering: .relaxed)
            return true
        }
    }

    /// Adds an inode with one reference and gives it its node id, or counts the reference to the one of the same file.
    ///
    /// - Returns: the table's inode.
    func insert(_ inode: Inode) -> Inode {
        let index = InodeTable.index(inode.identity)
        return shards[index].withLock { shard in
            let present = shard.latest[inode.identity]
            if let present, present.handle == inode.handle {
                present.references.add(1, ordering: .relaxed)
                return present
            }
            // The number is another file's now. What the kernel asks for the former one must not reach it.
            if let present { shard.others[present.node] = present }
            let packed = NodeID.packed(inode.identity, generation: inode.generation)
            if let packed, shard.inode(packed) == nil {
                inode.name(packed)
            } else {
                let number = sequence.add(1, ordering: .relaxed).newValue
                inode.name(NodeID.sequenced(number << InodeTable.shardBits | UInt64(index)))
                shard.others[inode.node] = inode
            }
            inode.references.store(1, ordering: .relaxed)
            shard.latest[inode.identity] = inode
            total.add(1, ordering: .relaxed)
            return inode
        }
    }

    /// Takes back `count` references of the kernel's. The root stays.
    ///
    /// - Returns: the inode if that was the last one.
    func forget(_ node: UInt64, count: UInt64) -> Inode? {
        if node == NodeID.root { return nil }
        return shard(node).withLock { shard in
            guard let inode = shard.inode(node) else { return nil }
            let references = inode.references.load(ordering: .relaxed)
            if references > count {
                inode.references.store(references - count, ordering: .relaxed)
                return nil
            }
            total.subtract(1, ordering: .relaxed)
            if shard.latest[inode.identity] === inode { shard.latest[inode.identity] = nil }
            if !shard.others.isEmpty { shard.others[node] = nil }
            return inode
        }
    }

    /// Forgets everything.
    func removeAll() {
        for shard in shards {
            // Out of the lock with them: letting go of an inode closes its descriptor.
            let inodes = shard.withLock { shard in
                defer { shard = Shard() }
                return shard
            }
            _ = consume inodes
        }
        total.store(0, ordering: .relaxed)
    }

    private func shard(_ node: UInt64) -> Lock<Shard> {
        guard let identity = NodeID.unpacked(node) else { return shards[Int(node & (1 << InodeTable.shardBits - 1))] }
        return shards[InodeTable.index(identity)]
    }

    private static func index(_ identity: FileIdentity) -> Int {
        Int(identity.mixed >> (64 - shardBits))
    }
}
