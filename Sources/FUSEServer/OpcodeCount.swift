import FUSEProtocol
import Synchronization

/// One opcode's requests, errors and latencies (nanoseconds).
package struct OpcodeCount: Sendable {
    package var count: UInt64 = 0
    package var errors: UInt64 = 0
    package var maximum: UInt64 = 0
    package var histogram = LatencyHistogram()

    package mutating func merge(_ other: OpcodeCount) {
        count += other.count
        errors += other.errors
        maximum = max(maximum, other.maximum)
        for bucket in 0..<LatencyHistogram.bucketCount { histogram.counts[bucket] += other.histogram.counts[bucket] }
    }
}
