import CFUSE
import CLibURing
import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage

/// The faults that lie in the ring's commands. Their completions are told apart by ``UserData/Kind/fault``, and mean nothing.
extension RingWorker {
    /// Whether this is the ring of the last of the kernel's queues.
    private var servesLastQueue: Bool {
        queues.contains { Int($0.id) == ((try? CPUSet.possible().count) ?? 1) - 1 }
    }

    /// Whether an entry is left out when they are registered.
    func withholds(_ entry: Entry, at index: Int) -> Bool {
        switch session.configuration.fault {
        case .queueNeverRegisters: Int(entry.queue.id) == ((try? CPUSet.possible().count) ?? 1) - 1
        case .leakEntry: entry.queue.depth > 1 && index % entry.queue.depth == entry.queue.depth - 1
        default: false
        }
    }

    /// Refuses to start, as if the system had no more threads.
    func refuseToStart() throws(TransportError) {
        if session.configuration.fault == .queueThreadFails && servesLastQueue {
            throw .failed(what: "starting the thread of queue \(queues[0].id)", .resourceTemporarilyUnavailable)
        }
    }

    /// Gives up after some work.
    func givesUp() -> Bool {
        guard session.configuration.fault == .queueDies, servesLastQueue,
            queues.contains(where: { $0.counters.committed > 30 })
        else { return false }
        session.connectionEnded(.failure("queue \(queues[0].id): its thread gave up"))
        return true
    }

    /// Puts commands beside the commit of a reply, or in its place.
    ///
    /// - Returns: whether the reply itself is still to be committed.
    func misbehave(beforeCommitOf entry: Entry, _ ring: borrowing Ring) -> Bool {
        let done = entry.queue.counters.committed
        switch session.configuration.fault {
        case .neverCommit: return done != 40
        case .unknownCommitID where done % 64 == 0: commitBogus(entry.queue.id, UInt64.max >> 1, ring)
        case .badEntryInBatch: commitBogus(entry.queue.id, UInt64.max >> 1, ring)
        case .wrongQueue where done == 40:
            commitBogus(entry.queue.id == 0 ? 1 : 0, entry.commitID, ring)
            return false
        default: break
        }
        return true
    }

    func misbehave(afterCommitOf entry: Entry, _ index: UInt32, _ ring: borrowing Ring) {
        let done = entry.queue.counters.committed
        switch session.configuration.fault {
        case .duplicateCommit where done % 64 == 0: commitBogus(entry.queue.id, entry.commitID, ring)
        case .commitTwice where done == 40:
            cliburing_prep_fuse(
                ring.nextSubmission(), 0, FuseCommand.commitAndFetch, entry.queue.id, entry.commitID, nil,
                UserData(.command, entry: index).rawValue)
        default: break
        }
    }

    private func commitBogus(_ queue: UInt16, _ commitID: UInt64, _ ring: borrowing Ring) {
        cliburing_prep_fuse(
            ring.nextSubmission(), 0, FuseCommand.commitAndFetch, queue, commitID, nil, UserData(.fault).rawValue)
    }

    /// Offers an entry to the kernel, which is not yet ready for it.
    func registerTooEarly(_ ring: borrowing Ring) {
        guard session.configuration.fault == .earlyRegister else { return }
        cliburing_prep_fuse(
            ring.nextSubmission(), 0, FuseCommand.register, entries[0].queue.id, 0, entries[0].writeVectors(),
            UserData(.fault).rawValue)
        try? ring.submit()
    }
}
