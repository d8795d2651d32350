import FUSEProtocol
import Testing

@testable import FUSEServer

@Suite struct CountersTests {
    @Test(arguments: [0, 63, 64, 255, 256, 1000, 50_000, 1_000_000, 5_000_000_000, UInt64.max])
    func aBucketHoldsItsLatencyWithinAQuarter(nanoseconds: UInt64) {
        let bucket = LatencyHistogram.bucket(of: nanoseconds)
        #expect((0..<LatencyHistogram.bucketCount).contains(bucket))
        guard bucket < LatencyHistogram.bucketCount - 1 else { return }
        let bound = LatencyHistogram.bound(of: bucket)
        #expect(nanoseconds < bound)
        #expect(Double(bound) <= max(Double(nanoseconds) * 1.25 + 64, 64))
    }

    @Test func bucketsGrow() {
        let bounds = (0..<LatencyHistogram.bucketCount - 1).map(LatencyHistogram.bound)
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func percentiles() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(0.5) == 0)
        for latency in 1...100 { histogram.counts[LatencyHistogram.bucket(of: UInt64(latency) * 1000)] += 1 }
        #expect((50_000...63_000).contains(histogram.percentile(0.5)))
        #expect((99_000...125_000).contains(histogram.percentile(0.99)))
    }

    @Test func countsByOpcode() {
        let counters = Counters(channel: .queue, queue: 1)
        counters.countFetched()
        counters.countCommitted(.read, nanoseconds: 2_000, failed: false)
        counters.countCommitted(.read, nanoseconds: 9_000, failed: true)
        let read = counters.snapshot(of: .read)
        #expect(read.count == 2 && read.errors == 1 && read.maximum == 9_000)
        #expect(counters.snapshot(of: .write).count == 0)
        #expect(counters.fetched == 1 && counters.committed == 2)
    }
}
