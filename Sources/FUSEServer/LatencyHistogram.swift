/// Latencies in buckets whose bounds grow by a quarter of a power of two, from 256 ns on: within 25 % of the truth.
@usableFromInline
package struct LatencyHistogram: Sendable {
    @inlinable package static var bucketCount: Int { 128 }
    package var counts = [UInt64](repeating: 0, count: bucketCount)

    /// The bucket that a latency (nanoseconds) is counted in.
    @inlinable @inline(__always)
    package static func bucket(of nanoseconds: UInt64) -> Int {
        let units = nanoseconds >> 6
        if units < 4 { return Int(units) }
        let exponent = 63 - units.leadingZeroBitCount
        let quarter = Int(units >> UInt64(exponent - 2)) & 3
        return min((exponent - 1) * 4 + quarter, bucketCount - 1)
    }

    /// The upper bound of a bucket in nanoseconds.
    static func bound(of bucket: Int) -> UInt64 {
        if bucket < 4 { return UInt64(bucket + 1) << 6 }
        let exponent = bucket / 4 + 1
        return (UInt64(4 + bucket % 4 + 1) << UInt64(exponent - 2)) << 6
    }

    /// The latency that this share (0…1) of the requests did not exceed, in nanoseconds; 0 without requests.
    package func percentile(_ share: Double) -> UInt64 {
        let total = counts.reduce(0, +)
        guard total > 0 else { return 0 }
        let wanted = UInt64((Double(total) * share).rounded(.up))
        var sum: UInt64 = 0
        for bucket in counts.indices {
            sum += counts[bucket]
            if sum >= wanted { return LatencyHistogram.bound(of: bucket) }
        }
        return LatencyHistogram.bound(of: counts.count - 1)
    }
}
