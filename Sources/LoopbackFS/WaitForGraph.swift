import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// Finds processes that wait for each other's record locks: the last one that would make a circle gets EDEADLK, as fcntl(2)
/// has it. The source cannot tell, for there the locks are those of open files.
///
/// It knows the locks of this mount; one that is held outside of it ends a search. As in the kernel only POSIX locks count,
/// whose owner is a process: the locks of an open file may be let go of by anybody who shares it, while another waits. Which
/// of the two a request is about is not in it. Where there is a circle, the waiting threads' system calls tell.
final class WaitForGraph: Sendable {
    private let locks: LockTable
    /// Whether a thread that waits for a record lock waits for a POSIX one; false if that is not to be known.
    private let waitsForPOSIXLock: @Sendable (UInt32) -> Bool
    /// By owner. Taken before the table's, and the owners', locks.
    private let waits = Lock<[UInt64: [Waiter]]>([:])

    /// One lock that is waited for.
    final class Waiter: Sendable {
        let owner: UInt64
        let node: UInt64
        let range: LockRange
        /// Its client's, as the daemon's `/proc` has it; 0 if it does not.
        let thread: UInt32
        fileprivate let kind = Atomic<UInt8>(Waiter.unknown)

        fileprivate static let unknown: UInt8 = 0
        fileprivate static let process: UInt8 = 1
        fileprivate static let other: UInt8 = 2

        init(owner: UInt64, node: UInt64, range: LockRange, thread: UInt32) {
            self.owner = owner
            self.node = node
            self.range = range
            self.thread = thread
        }
    }

    init(
        _ locks: LockTable,
        waitsForPOSIXLock: @escaping @Sendable (UInt32) -> Bool = WaitForGraph.isInSetLockWait
    ) {
        self.locks = locks
        self.waitsForPOSIXLock = waitsForPOSIXLock
    }

    /// A lock will be waited for.
    ///
    /// - Throws: EDEADLK if that would be for ever; it is then not in the graph.
    func enter(_ waiter: Waiter) throws(Errno) {
        // It is entered and looked at under one lock: of those that close a circle at once, one is the last.
        var circle = waits.withLock { waits in
            waits[waiter.owner, default: []].append(waiter)
            return self.circle(through: waiter, waits)
        }
        while let found = circle {
            let unknown = found.filter { $0.kind.load(ordering: .relaxed) == Waiter.unknown }
            if unknown.isEmpty {
                leave(waiter)
                throw .deadlock
            }
            for member in unknown {
                let isProcess = waitsForPOSIXLock(member.thread)
                member.kind.store(isProcess ? Waiter.process : Waiter.other, ordering: .relaxed)
            }
            // Without those that do not count there may be another one, and meanwhile this one may be gone.
            circle = waits.withLock { self.circle(through: waiter, $0) }
        }
    }

    func leave(_ waiter: Waiter) {
        waits.withLock { waits in
            waits[waiter.owner]?.removeAll { $0 === waiter }
            if waits[waiter.owner]?.isEmpty == true { waits[waiter.owner] = nil }
        }
    }

    /// The waiters along a circle that this one closes, itself among them.
    private func circle(through waiter: Waiter, _ waits: [UInt64: [Waiter]]) -> [Waiter]? {
        guard waiter.kind.load(ordering: .relaxed) != Waiter.other else { return nil }
        var seen: Set<UInt64> = []
        var path: [Waiter] = []
        func leadsBack(_ next: Waiter) -> Bool {
            path.append(next)
            for (holder, _) in locks.conflicts(with: next.range, on: next.node, otherThan: next.owner) {
                if holder == waiter.owner { return true }
                guard seen.insert(holder).inserted, let further = waits[holder] else { continue }
                for one in further where one.kind.load(ordering: .relaxed) != Waiter.other {
                    if leadsBack(one) { return true }
                }
            }
            path.removeLast()
            return false
        }
        return leadsBack(waiter) ? path : nil
    }

    /// Whether a thread is in fcntl(2) with F_SETLKW, by `/proc/TID/syscall`: number, then arguments. Whoever may not read it
    /// (CAP_SYS_PTRACE) does not know, and finds no deadlocks.
    private static func isInSetLockWait(_ thread: UInt32) -> Bool {
        guard thread != 0 else { return false }
        for _ in 0..<100 {
            guard let text = contents(of: "/proc/\(thread)/syscall") else { return false }
            let words = text.split(separator: " ")
            // "running": its request is out, and it goes to sleep about now.
            if words.count < 3 {
                usleep(1000)
                continue
            }
            // F_SETLKW, and F_SETLKW64 of 32-bit programs.
            return words[2] == "0x7" || words[2] == "0xe"
        }
        return false
    }

    private static func contents(of path: String) -> String? {
        guard let descriptor = try? Errno.check({ unsafe open(path, O_RDONLY | O_CLOEXEC) }) else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        guard let count = try? Errno.check({ unsafe read(descriptor, &buffer, buffer.count) }) else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
