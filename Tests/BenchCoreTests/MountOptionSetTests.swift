import Testing

@testable import BenchCore

@Suite struct MountOptionSetTests {
    @Test(arguments: TransportName.allCases, [1, 2, 20_241]) func everyPairOfValuesIsThere(
        transport: TransportName, seed: UInt64
    ) {
        let factors = MountOptionSet.factors(for: transport)
        let sets = MountOptionSet.pairs(for: transport, seed: seed)
        func has(_ set: MountOptionSet, _ factor: [String?], _ value: String?) -> Bool {
            if let value { return set.options.contains(value) }
            return factor.compactMap(\.self).allSatisfy { !set.options.contains($0) }
        }
        for first in factors.indices {
            for second in factors.indices where second > first {
                for one in factors[first] {
                    for other in factors[second] {
                        let isThere = sets.contains { has($0, factors[first], one) && has($0, factors[second], other) }
                        #expect(isThere, "\(one ?? "no") with \(other ?? "no")")
                    }
                }
            }
        }
        // Six would do for values of two and three options; greed takes a few more.
        #expect(sets.count <= 12)
        #expect(sets == MountOptionSet.pairs(for: transport, seed: seed))
    }

    @Test func theSeedDecides() {
        #expect(MountOptionSet.pairs(for: .legacy, seed: 1) != MountOptionSet.pairs(for: .legacy, seed: 2))
    }

    @Test func aListNamesSets() {
        let sets = MountOptionSet.sets(
            ["none", "writeback,cache=never", "writeback,cache=never"], on: .legacy, seed: 1)
        #expect(sets.map(\.options) == [[], ["writeback", "cache=never"]])
        #expect(MountOptionSet.sets([], on: .legacy, seed: 1).map(\.options) == [[]])
        #expect(
            MountOptionSet.sets(["pairs"], on: .uringSingle, seed: 7)
                == MountOptionSet.pairs(for: .uringSingle, seed: 7))
    }

    @Test func labelsNameTransportAndOptions() {
        #expect(MountOptionSet(parsing: "none").label(on: .legacy) == "legacy")
        let target = Target(.uringPercore, MountOptionSet(parsing: "depth=1,writeback"))
        #expect(target.label == "uring-percore+depth=1,writeback")
        #expect(target.options == ["-o", "depth=1,writeback"])
    }
}
