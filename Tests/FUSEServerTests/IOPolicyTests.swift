import Glibc
import Testing

@testable import FUSEServer

@Suite struct IOPolicyTests {
    /// A slow request that is not watched yet, and one that is seen to sleep.
    private func sleep(_ policy: borrowing IOPolicy) {
        policy.record(slow: true, slept: nil)
        policy.record(slow: true, slept: true)
    }

    @Test func beginsInline() {
        let policy = IOPolicy()
        #expect(policy.readPath(direct: true, alone: false) == .inline)
        #expect(policy.writePath(alone: false) == .inline)
    }

    @Test func bufferedReadsAskThePageCache() {
        let policy = IOPolicy()
        sleep(policy)
        #expect(policy.readPath(direct: false, alone: false) == .cached)
    }

    @Test func aloneEverythingIsInline() {
        let policy = IOPolicy()
        sleep(policy)
        #expect(policy.readPath(direct: true, alone: true) == .inline)
        #expect(policy.readPath(direct: false, alone: true) == .inline)
        #expect(policy.writePath(alone: true) == .inline)
    }

    @Test func withoutNowaitBufferedReadsAreTimed() {
        let policy = IOPolicy()
        policy.nonblockingIsUnsupported()
        #expect(policy.readPath(direct: false, alone: false) == .inline)
        sleep(policy)
        #expect(policy.readPath(direct: false, alone: false) == .ring)
    }

    @Test func slowWithoutSleepingChangesNothing() {
        let policy = IOPolicy()
        for _ in 0..<10 {
            policy.record(slow: true, slept: nil)
            #expect(policy.writePath(alone: false) == .inline)
            policy.record(slow: true, slept: false)
            #expect(policy.writePath(alone: false) == .inline)
        }
    }

    @Test func sleepingSendsTheNextToTheRingUntilTheProbe() {
        let policy = IOPolicy()
        sleep(policy)
        for _ in 0..<IOPolicy.probeInterval { #expect(policy.readPath(direct: true, alone: false) == .ring) }
        #expect(policy.readPath(direct: true, alone: false) == .inline)
        // A probe that sleeps is enough to go on so, a fast one to come back.
        policy.record(slow: true, slept: true)
        #expect(policy.readPath(direct: true, alone: false) == .ring)
        for _ in 1..<IOPolicy.probeInterval { _ = policy.readPath(direct: true, alone: false) }
        policy.record(slow: false, slept: nil)
        #expect(policy.readPath(direct: true, alone: false) == .inline)
    }

    @Test func sleepsAreCountedOnlyWhereTheyDecide() {
        let policy = IOPolicy()
        #expect(policy.begin(at: 0).sleeps == nil)
        policy.record(slow: true, slept: nil)
        #expect(policy.begin(at: 0).sleeps != nil, "a slow request makes the next one watched")
        policy.record(slow: true, slept: true)
        #expect(policy.begin(at: 0).sleeps == nil, "inline all the same, by a thread that is alone")
        for _ in 0..<IOPolicy.probeInterval { _ = policy.writePath(alone: false) }
        #expect(policy.begin(at: 0).sleeps != nil, "the probe")
    }

    @Test func seesASleepingThreadAndNotABusyOne() {
        let policy = IOPolicy()
        func request(_ body: () -> Void) {
            let mark = policy.begin(at: MonotonicClock.now())
            body()
            policy.end(mark, at: MonotonicClock.now())
        }
        // Long enough to be slow on any machine; whether its thread is preempted makes no difference.
        func spin() {
            let end = MonotonicClock.now() + 10 * IOPolicy.slow
            while MonotonicClock.now() < end {}
        }
        for _ in 0..<5 { request(spin) }
        #expect(policy.writePath(alone: false) == .inline)
        for _ in 0..<2 { request { usleep(1000) } }
        #expect(policy.writePath(alone: false) == .ring)
    }
}
