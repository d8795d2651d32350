import CFUSE
import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// Who holds record locks on which file: one open file description of the source for each pair of inode and lock owner.
///
/// The kernel's owner stands for a process (POSIX locks) or an open file (its OFD locks). Here both are OFD locks
/// (fcntl(2)): those of one description never conflict among themselves, and they can be let go of together.
final class LockTable: Sendable {
    private struct Key: Hashable {
        var node: UInt64
        var owner: UInt64
    }

    /// Leaf.
    private let owners = Lock<[Key: LockOwner]>([:])
    /// Owners in the table: most files of most mounts are never locked, and FLUSH and RELEASE ask for each.
    private let count = Atomic<Int>(0)

    /// The owner's entry, if it has locked the file before.
    func find(owner: UInt64, of node: UInt64) -> LockOwner? {
        owners.withLock { $0[Key(node: node, owner: owner)] }
    }

    /// Adds an owner; of two that are added at once the first stays.
    func insert(_ new: LockOwner, owner: UInt64, of node: UInt64) -> LockOwner {
        owners.withLock { owners in
            let key = Key(node: node, owner: owner)
            if let present = owners[key] { return present }
            owners[key] = new
            count.add(1, ordering: .relaxed)
            return new
        }
    }

    /// The process of another owner that holds a lock which conflicts with this range; 0 if none is known, because it is
    /// held outside of this mount.
    func holder(of range: LockRange, on node: UInt64, otherThan owner: UInt64) -> UInt32 {
        owners.withLock { owners in
            for (key, holder) in owners where key.node == node && key.owner != owner {
                if let process = holder.process(holding: range) { return process }
            }
            return 0
        }
    }

    /// Lets go of all that an owner holds on a file: close(2) of any of its descriptors does.
    func release(owner: UInt64, of node: UInt64) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        let gone = owners.withLock { owners in
            let gone = owners.removeValue(forKey: Key(node: node, owner: owner))
            if gone != nil { count.subtract(1, ordering: .relaxed) }
            return gone
        }
        gone?.unlockAll()
    }

    /// Lets go of what owners that were first seen on this handle hold: OFD locks end with the open file.
    func release(handle: UInt64, of node: UInt64) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        let gone = owners.withLock { owners in
            let keys = owners.filter { $0.key.node == node && $0.value.handle == handle }.map(\.key)
            count.subtract(keys.count, ordering: .relaxed)
            return keys.compactMap { owners.removeValue(forKey: $0) }
        }
        for owner in gone { owner.unlockAll() }
    }

    func removeAll() {
        let gone = owners.withLock { owners in
            defer { owners = [:] }
            count.store(0, ordering: .relaxed)
            return owners
        }
        for owner in gone.values { owner.unlockAll() }
    }
}

/// A lock or a request for one: bytes `start` to `end`, both included, of type F_RDLCK or F_WRLCK.
struct LockRange: Equatable {
    var start: UInt64
    var end: UInt64
    var type: Int32
    var process: UInt32

    func conflicts(with other: LockRange) -> Bool {
        start <= other.end && other.start <= end && (type == F_WRLCK || other.type == F_WRLCK)
    }
}

/// One owner's locks on one file.
final class LockOwner: Sendable {
    /// Of an open file description of its own.
    let descriptor: CInt
    /// The handle (`fh`) that the owner was first seen on.
    let handle: UInt64
    /// What it holds, to tell GETLK whose: of OFD locks the kernel tells no process. Leaf.
    private let ranges = Lock<[LockRange]>([])

    /// Takes the descriptor over.
    init(descriptor: CInt, handle: UInt64) {
        self.descriptor = descriptor
        self.handle = handle
    }

    deinit {
        close(descriptor)
    }

    /// Notes that a lock was had, or with F_UNLCK was let go of.
    func record(_ new: LockRange) {
        ranges.withLock { ranges in
            var left: [LockRange] = []
            for old in ranges {
                if old.end < new.start || old.start > new.end {
                    left.append(old)
                    continue
                }
                if old.start < new.start {
                    var before = old
                    before.end = new.start - 1
                    left.append(before)
                }
                if old.end > new.end {
                    var after = old
                    after.start = new.end + 1
                    left.append(after)
                }
            }
            if new.type != F_UNLCK { left.append(new) }
            ranges = left
        }
    }

    /// The process that took the lock which conflicts with this range.
    func process(holding range: LockRange) -> UInt32? {
        ranges.withLock { $0.first { $0.conflicts(with: range) }?.process }
    }

    /// Lets go of everything at once, though a waiting thread may still hold the descriptor.
    func unlockAll() {
        var all = flock()
        all.l_type = Int16(F_UNLCK)
        all.l_whence = Int16(SEEK_SET)
        _ = clinux_fcntl_lock(descriptor, CLINUX_F_OFD_SETLK, &all)
    }
}
