package import FUSEServer
import LinuxSystem
package import SystemPackage
package import TransportURing

/// The faults that lie in a ring's threads, memory and commands.
extension FaultInjection: RingHook {
    private static func isLast(_ queue: UInt16, of count: Int? = nil) -> Bool {
        Int(queue) == (count ?? (try? CPUSet.possible().count) ?? 1) - 1
    }

    package func memoryIsAllocated(queue: UInt16, of count: Int) throws(Errno) {
        if fault == .allocationFails && FaultInjection.isLast(queue, of: count) { throw .noMemory }
    }

    package func threadStarts(queues: [UInt16]) throws(TransportError) {
        // As if the system had no more threads.
        guard fault == .queueThreadFails, queues.contains(where: { FaultInjection.isLast($0) }) else { return }
        throw .failed(what: "starting the thread of queue \(queues[0])", .resourceTemporarilyUnavailable)
    }

    package func ringIsReady(_ ring: HookedRing) {
        if fault == .earlyRegister { ring.register() }
    }

    package func registers(entry number: Int, of depth: Int, queue: UInt16) -> Bool {
        switch fault {
        case .queueNeverRegisters: !FaultInjection.isLast(queue)
        case .leakEntry: depth == 1 || number != depth - 1
        default: true
        }
    }

    /// An id that the kernel does not come to by counting.
    private static let unknownID = UInt64.max >> 1

    package func commits(_ commitID: UInt64, queue: UInt16, committed: UInt64, _ ring: HookedRing) -> Bool {
        switch fault {
        case .unknownCommitID where committed % 64 == 0: ring.commit(FaultInjection.unknownID, queue: queue)
        case .badEntryInBatch: ring.commit(FaultInjection.unknownID, queue: queue)
        case .wrongQueue where committed == 40:
            ring.commit(commitID, queue: queue == 0 ? 1 : 0)
            return false
        default: break
        }
        return true
    }

    package func hasCommitted(
        _ commitID: UInt64, entry: UInt32, queue: UInt16, committed: UInt64, _ ring: HookedRing
    ) {
        switch fault {
        case .duplicateCommit where committed % 64 == 0: ring.commit(commitID, queue: queue)
        case .commitTwice where committed == 40: ring.commit(commitID, queue: queue, as: entry)
        default: break
        }
    }

    package var separatesPages: Bool { fault != .sharedPagesSlot }
    package func answersBeforeReading(committed: UInt64) -> Bool { fault == .commitBeforeRead && committed % 64 == 0 }
    package func usesBufferAfterCommit(committed: UInt64) -> Bool { fault == .bufferUsedLate && committed % 64 == 0 }

    package func givesUp(queues: [UInt16], committed: [UInt64]) -> StopCause? {
        guard fault == .queueDies, queues.contains(where: { FaultInjection.isLast($0) }),
            committed.contains(where: { $0 > 30 })
        else { return nil }
        return .failure("queue \(queues[0]): its thread gave up")
    }
}
