import LinuxSystem
import Synchronization

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
