import Testing

@testable import FUSEServer

@Suite struct IOPolicyTests {
    @Test func beginsInline() {
        let policy = IOPolicy()
        #expect(policy.readPath(direct: true) == .inline)
        #expect(policy.writePath() == .inline)
    }

    @Test func bufferedReadsAskThePageCache() {
        let policy = IOPolicy()
        policy.record(nanoseconds: 1_000_000, bytes: 4096)
        #expect(policy.readPath(direct: false) == .cached)
    }

    @Test func withoutNowaitBufferedReadsAreTimed() {
        let policy = IOPolicy()
        policy.nonblockingIsUnsupported()
        #expect(policy.readPath(direct: false) == .inline)
        policy.record(nanoseconds: 1_000_000, bytes: 4096)
        #expect(policy.readPath(direct: false) == .ring)
    }

    @Test func aSlowRequestSendsTheNextToTheRingUntilTheProbe() {
        let policy = IOPolicy()
        policy.record(nanoseconds: IOPolicy.slow + 4096, bytes: 4096)
        for _ in 0..<IOPolicy.probeInterval { #expect(policy.readPath(direct: true) == .ring) }
        #expect(policy.readPath(direct: true) == .inline)
    }

    @Test func aFastRequestStaysInline() {
        let policy = IOPolicy()
        policy.record(nanoseconds: IOPolicy.slow, bytes: 4096)
        #expect(policy.readPath(direct: true) == .inline)
    }

    @Test func copyingALotIsNotSlow() {
        let policy = IOPolicy()
        policy.record(nanoseconds: 300_000, bytes: 1 << 20)
        #expect(policy.writePath() == .inline)
    }
}
