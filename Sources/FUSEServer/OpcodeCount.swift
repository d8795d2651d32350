import FUSEProtocol
import Synchronization

/// One opcode's requests, errors and latencies (nanoseconds).
public struct OpcodeCount: Sendable {
    public var count: UInt64 = 0
    public var errors: UInt64 = 0
    public var maximum: UInt64 = 0
    public var histogram = LatencyHistogram()

    public mutating func merge(_ other: OpcodeCount) {
        count += other.count
        errors += other.errors
        maximum = max(maximum, other.maximum)
        for bucket in 0..<LatencyHistogram.bucketCount { histogram.counts[bucket] += other.histogram.counts[bucket] }
    }
}
