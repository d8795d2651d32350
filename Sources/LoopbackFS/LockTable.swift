import LinuxSystem
import Synchronization
import SystemPackage

/// Who holds record locks on which file: one open file description of the source for each pair of inode and lock owner.
///
/// The kernel's owner stands for a process (POSIX locks) or an open file (its OFD locks), and no request says for which. Here
/// both are OFD locks (fcntl(2)): those of one description never conflict among themselves. How they end differs:
///
/// - A process loses all that it holds on a file with close(2) of any of its descriptors: FLUSH, which names the owner and
///   comes before close(2) returns.
/// - An open file loses its locks with its end: RELEASE, which names the handle and comes later. By then the owner's number,
///   an address in the kernel, may be that of another open file. So RELEASE ends those locks that were *taken through* its
///   handle, and of the owner it may keep what came through another.
final class LockTable: Sendable {
    /// By inode, then by the kernel's number. Taken before no other lock.
    private let owners = Lock<[UInt64: [UInt64: LockOwner]]>([:])
    /// Owners in the table: most files of most mounts are never locked, and FLUSH and RELEASE ask for each.
    private let count = Atomic<Int>(0)

    /// The owner's entry, if it has locked the file before.
    func find(owner: UInt64, of node: UInt64) -> LockOwner? {
        owners.withLock { $0[node]?[owner] }
    }

    /// Adds an owner; of two that are added at once the first stays.
    func insert(_ new: LockOwner, of node: UInt64) -> LockOwner {
        owners.withLock { owners in
            if let present = owners[node]?[new.number] {
                if !present.isGone.load(ordering: .relaxed) { return present }
            } else {
                count.add(1, ordering: .relaxed)
            }
            owners[node, default: [:]][new.number] = new
            return new
        }
    }

    /// The other owners' locks that stand in the way of one.
    func conflicts(with range: LockRange, on node: UInt64, otherThan owner: UInt64) -> [(
        owner: UInt64, lock: LockRange
    )] {
        all(of: node).compactMap { other in
            guard other.number != owner, let lock = other.conflict(with: range) else { return nil }
            return (other.number, lock)
        }
    }

    /// Lets go of all that an owner holds on a file.
    func release(owner: UInt64, of node: UInt64) {
        guard count.load(ordering: .relaxed) > 0, let found = find(owner: owner, of: node) else { return }
        found.releaseAll()
        removeIfGone(found, of: node)
    }

    /// Lets go of what was taken through a handle, whoever it was.
    func release(handle: UInt64, of node: UInt64) {
        guard count.load(ordering: .relaxed) > 0 else { return }
        for owner in all(of: node) {
            owner.release(through: handle)
            removeIfGone(owner, of: node)
        }
    }

    func removeIfGone(_ owner: LockOwner, of node: UInt64) {
        guard owner.isGone.load(ordering: .relaxed) else { return }
        owners.withLock { owners in
            guard owners[node]?[owner.number] === owner else { return }
            owners[node]?[owner.number] = nil
            if owners[node]?.isEmpty == true { owners[node] = nil }
            count.subtract(1, ordering: .relaxed)
        }
    }

    func removeAll() {
        let gone = owners.withLock { owners in
            defer { owners = [:] }
            count.store(0, ordering: .relaxed)
            return owners
        }
        for owner in gone.values.flatMap(\.values) { owner.releaseAll() }
    }

    private func all(of node: UInt64) -> [LockOwner] {
        owners.withLock { $0[node].map { Array($0.values) } ?? [] }
    }
}
