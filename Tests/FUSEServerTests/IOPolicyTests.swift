import Testing

@testable import FUSEServer

@Suite struct IOPolicyTests {
    private func recordSlow(_ policy: borrowing IOPolicy, times: UInt32) {
        for _ in 0..<times { policy.record(nanoseconds: 1_000_000, bytes: 4096) }
    }

    @Test func beginsInline() {
        let policy = IOPolicy()
        #expect(policy.readPath(direct: true) == .inline)
        #expect(policy.writePath() == .inline)
    }

    @Test func bufferedReadsAskThePageCache() {
        let policy = IOPolicy()
        recordSlow(policy, times: IOPolicy.patience)
        #expect(policy.readPath(direct: false) == .cached)
    }

    @Test func withoutNowaitBufferedReadsAreTimed() {
        let policy = IOPolicy()
        policy.nonblockingIsUnsupported()
        #expect(policy.readPath(direct: false) == .inline)
        recordSlow(policy, times: IOPolicy.patience)
        #expect(policy.readPath(direct: false) == .ring)
    }

    @Test func oneSlowRequestAloneChangesNothing() {
        let policy = IOPolicy()
        for _ in 0..<10 {
            recordSlow(policy, times: IOPolicy.patience - 1)
            #expect(policy.readPath(direct: true) == .inline)
            policy.record(nanoseconds: IOPolicy.slow, bytes: 0)
        }
    }

    @Test func slowRequestsSendTheNextToTheRingUntilTheProbe() {
        let policy = IOPolicy()
        recordSlow(policy, times: IOPolicy.patience)
        for _ in 0..<IOPolicy.probeInterval { #expect(policy.readPath(direct: true) == .ring) }
        #expect(policy.readPath(direct: true) == .inline)
        // One slow probe is enough to go on so, one fast probe to come back.
        recordSlow(policy, times: 1)
        #expect(policy.readPath(direct: true) == .ring)
        for _ in 1..<IOPolicy.probeInterval { _ = policy.readPath(direct: true) }
        policy.record(nanoseconds: IOPolicy.slow, bytes: 0)
        recordSlow(policy, times: 1)
        #expect(policy.readPath(direct: true) == .inline)
    }

    @Test func copyingALotIsNotSlow() {
        let policy = IOPolicy()
        for _ in 0..<10 { policy.record(nanoseconds: 300_000, bytes: 1 << 20) }
        #expect(policy.writePath() == .inline)
    }
}
