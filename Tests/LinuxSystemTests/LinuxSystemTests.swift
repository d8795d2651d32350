import Testing

@testable import LinuxSystem

@Suite struct LinuxSystemTests {
    @Test func ringSettings() {
        #expect(["Y\n", "1", "y"].allSatisfy { RingSetting($0) == .on })
        #expect(["N\n", "0\n", ""].allSatisfy { RingSetting($0) != .on })
        #expect(RingSetting(nil) == .absent)
    }

    @Test func deadlinesTakeAnyNumberOfSeconds() {
        #expect(!Deadline(secondsFromNow: .infinity).hasPassed)
        #expect(!Deadline(secondsFromNow: 1e30).hasPassed)
        for seconds in [-Double.infinity, -1, 0, .nan] { #expect(Deadline(secondsFromNow: seconds).hasPassed) }
        #expect((59_001...60_000).contains(Deadline(secondsFromNow: 60).millisecondsLeft))
        #expect(Deadline(secondsFromNow: -1).millisecondsLeft == 0)
    }

    /// As published with the algorithms: the same on every machine, or a seed says nothing.
    @Test func numbersAreThePublishedOnes() {
        var random = SplitMix64(seed: 1_234_567)
        #expect([random.next(), random.next()] == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
        var hash = FNV1a()
        #expect(hash.value == 0xcbf2_9ce4_8422_2325)
        hash.combine("foobar".utf8)
        #expect(hash.value == 0x8594_4171_f739_67e8)
    }

    @Test func theDescriptorLimitIsRaisedToTheHardOne() {
        let raised = DescriptorLimit.raised()
        #expect(raised.soft == raised.hard)
        #expect(DescriptorLimit.current.soft == raised.soft)
    }
}
