import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import Testing

@testable import FUSEServer

@Suite("Deferred work")
struct BlockingWorkTests {
    /// Neither waits for a thread nor takes the caller's.
    @Test func refusesWhatIsTooMuch() throws {
        let work = BlockingWork(limit: 8)
        let gate = Lock(())
        let begun = Atomic<Int>(0)
        try gate.withLock { _ in
            let body: @Sendable () -> Void = {
                begun.add(1, ordering: .relaxed)
                gate.withLock { _ in }
            }
            for _ in 0..<8 { try work.run(body) }
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try work.run(body) }
        }
        #expect(work.join(until: Deadline(secondsFromNow: 60)).isEmpty)
        #expect(begun.load(ordering: .relaxed) == 8)
        // There is room again.
        try work.run {}
        #expect(work.join(until: Deadline(secondsFromNow: 10)).isEmpty)
    }
}
