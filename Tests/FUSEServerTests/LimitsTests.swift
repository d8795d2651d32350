import FUSEProtocol
import Testing

@testable import FUSEServer

/// Whatever is asked for about data, every buffer holds the largest message of any opcode.
@Suite struct LimitsTests {
    @Test(arguments: [0, 1, 4096, 5000, 8192, 65_536, 69_632, 131_072, 1 << 20, 16 << 20, .max])
    func everyBufferHoldsTheLargestAttribute(maxWrite: Int) {
        for pageSize in [4096, 16384, 65536] {
            for pageLimit in [-1, 0, 1, 2, 8, 16, 17, 32, 256, 65_535, .max] {
                let limits = Limits(maxWrite: min(maxWrite, 1 << 30), pageLimit: pageLimit, pageSize: pageSize)
                #expect(limits.payloadSize >= Message.largestAttribute)
                #expect(limits.payloadSize >= limits.entryPayloadSize)
                #expect(limits.payloadSize.isMultiple(of: pageSize))
                #expect(limits.maxWrite.isMultiple(of: 4096) && limits.maxWrite >= 4096)
                #expect((1...65_535).contains(limits.maxPages) && limits.maxPages <= max(1, pageLimit))
                // What the kernel computes of the two (fuse_uring_create): more would be refused, less would be believed.
                #expect(limits.entryPayloadSize == max(8192, limits.maxWrite, limits.maxPages * pageSize))
            }
        }
    }

    @Test func whatIsAskedForIsAgreedOn() {
        let usual = Limits(maxWrite: 1 << 20, pageLimit: 256, pageSize: 4096)
        #expect(usual.maxWrite == 1 << 20 && usual.maxPages == 256 && usual.payloadSize == 1 << 20)
        #expect(usual.entriesHoldEverything)
        let small = Limits(maxWrite: 4096, pageLimit: 256, pageSize: 4096)
        #expect(small.maxWrite == 4096 && small.maxPages == 17 && small.payloadSize == 69_632)
        #expect(small.entriesHoldEverything)
    }

    @Test func theKernelsOwnLimit() {
        let large = Limits(maxWrite: 16 << 20, pageLimit: 256, pageSize: 4096)
        #expect(large.maxWrite == 1 << 20 && large.payloadSize == 1 << 20, "larger entries would be for nothing")
        // max_write is not subject to the limit of pages, so that it can make up for one that is too low.
        #expect(Limits(maxWrite: 1 << 20, pageLimit: 1, pageSize: 4096).entriesHoldEverything)
        #expect(!Limits(maxWrite: 4096, pageLimit: 16, pageSize: 4096).entriesHoldEverything)
    }
}
