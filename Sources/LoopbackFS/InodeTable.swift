import LinuxSystem
import Synchronization

/// The inodes that the kernel holds references to, by node id.
///
/// In shards, each with a lock of its own, which is a leaf: no other is taken and no system call made under it.
final class InodeTable: Sendable {
    private static let shardCount = 64
    private let shards: [Shard]
    private let total = Atomic<Int>(0)

    private final class Shard: Sendable {
        let inodes = Lock<[UInt64: Inode]>([:])
    }

    init() {
        shards = (0..<InodeTable.shardCount).map { _ in Shard() }
    }

    /// The inode of a node id, without a reference of the kernel's.
    subscript(node: UInt64) -> Inode? {
        shard(node).inodes.withLock { $0[node] }
    }

    /// Inodes held.
    var count: Int { total.load(ordering: .relaxed) }

    /// Counts a reference of the kernel's to an inode.
    ///
    /// - Returns: false if the inode has left the table in the meantime.
    func reference(_ inode: Inode) -> Bool {
        shard(inode.node).inodes.withLock { inodes in
            guard inodes[inode.node] === inode else { return false }
            inode.references.add(1, ordering: .relaxed)
            return true
        }
    }

    /// Adds an inode with one reference, or counts it to the one that is there already.
    ///
    /// One that is there but of another generation, whose number has been used again, is replaced; the kernel's references
    /// to it count on, since FORGET names the node id alone.
    /// - Returns: the table's inode.
    func insert(_ inode: Inode) -> Inode {
        shard(inode.node).inodes.withLock { inodes in
            let present = inodes[inode.node]
            if let present, present.generation == inode.generation {
                present.references.add(1, ordering: .relaxed)
                return present
            }
            if present == nil { total.add(1, ordering: .relaxed) }
            inode.references.store(1 + (present?.references.load(ordering: .relaxed) ?? 0), ordering: .relaxed)
            inodes[inode.node] = inode
            return inode
        }
    }

    /// Takes back `count` references of the kernel's. The root stays.
    ///
    /// - Returns: the inode if that was the last one.
    func forget(_ node: UInt64, count: UInt64) -> Inode? {
        shard(node).inodes.withLock { inodes in
            guard node != NodeID.root, let inode = inodes[node] else { return nil }
            let references = inode.references.load(ordering: .relaxed)
            if references > count {
                inode.references.store(references - count, ordering: .relaxed)
                return nil
            }
            total.subtract(1, ordering: .relaxed)
            return inodes.removeValue(forKey: node)
        }
    }

    /// Forgets everything.
    func removeAll() {
        for shard in shards {
            // Out of the lock with them: letting go of an inode closes its descriptor.
            let inodes = shard.inodes.withLock { inodes in
                defer { inodes = [:] }
                total.subtract(inodes.count, ordering: .relaxed)
                return inodes
            }
            _ = consume inodes
        }
    }

    private func shard(_ node: UInt64) -> Shard {
        shards[Int(truncatingIfNeeded: (node &* 0x9e37_79b9_7f4a_7c15) >> 58)]
    }
}

/// Handles of forgotten inodes, for those filesystems where a handle cannot be made from an inode number: an NFS client's
/// file handle outlives FORGET.
///
/// Bounded: a later inode of the same hash takes an earlier one's place. Held for the life of the mount, allocated with
/// the first.
final class ForgottenHandles: Sendable {
    private static let capacity = 1 << 16
    private let entries = Lock<[Entry]>([])

    private struct Entry {
        var node: UInt64
        var handle: FileHandle
    }

    func remember(_ handle: FileHandle, of node: UInt64) {
        entries.withLock { entries in
            if entries.isEmpty {
                let nothing = Entry(node: 0, handle: FileHandle(type: 0, byteCount: 0, words: .zero))
                entries = Array(repeating: nothing, count: ForgottenHandles.capacity)
            }
            entries[ForgottenHandles.place(node)] = Entry(node: node, handle: handle)
        }
    }

    func find(_ node: UInt64) -> FileHandle? {
        entries.withLock { entries in
            guard !entries.isEmpty else { return nil }
            let entry = entries[ForgottenHandles.place(node)]
            return entry.node == node ? entry.handle : nil
        }
    }

    private static func place(_ node: UInt64) -> Int {
        Int(truncatingIfNeeded: (node &* 0x9e37_79b9_7f4a_7c15) >> 48)
    }
}
