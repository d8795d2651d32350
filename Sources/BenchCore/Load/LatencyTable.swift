import Glibc

/// How long single operations took, by kind: counts by powers of two of a microsecond, and the longest.
public struct LatencyTable: Sendable {
    /// Words of each kind: a count for each power, and the longest in nanoseconds.
    static let width = 33
    private static let buckets = 32

    private var words: [LoadOperation: [UInt64]] = [:]

    public init() {}

    /// - Parameter words: `width` for each operation, by its number.
    init(words: ArraySlice<UInt64>) {
        for operation in LoadOperation.allCases {
            let start = words.startIndex + Int(operation.rawValue) * LatencyTable.width
            let own = Array(words[start..<start + LatencyTable.width])
            if own.contains(where: { $0 != 0 }) { self.words[operation] = own }
        }
    }

    /// Books one operation.
    static func record(_ nanoseconds: UInt64, of operation: LoadOperation, in words: UnsafeMutablePointer<UInt64>) {
        let own = words + Int(operation.rawValue) * width
        let microseconds = nanoseconds / 1000
        let bucket = microseconds == 0 ? 0 : min(buckets - 1, UInt64.bitWidth - microseconds.leadingZeroBitCount)
        own[bucket] &+= 1
        own[buckets] = max(own[buckets], nanoseconds)
    }

    /// Adds what others saw.
    public mutating func merge(_ other: LatencyTable) {
        for (operation, own) in other.words {
            guard var sum = words[operation] else {
                words[operation] = own
                continue
            }
            for bucket in 0..<LatencyTable.buckets { sum[bucket] &+= own[bucket] }
            sum[LatencyTable.buckets] = max(sum[LatencyTable.buckets], own[LatencyTable.buckets])
            words[operation] = sum
        }
    }

    /// The longest of all, with its kind.
    public var longest: (operation: LoadOperation, time: Duration)? {
        words.max { $0.value[LatencyTable.buckets] < $1.value[LatencyTable.buckets] }
            .map { ($0.key, .nanoseconds(Int64($0.value[LatencyTable.buckets]))) }
    }

    /// How long an operation of this kind took at the longest.
    public func longest(of operation: LoadOperation) -> Duration {
        .nanoseconds(Int64(words[operation]?[LatencyTable.buckets] ?? 0))
    }

    /// What 999 of 1,000 took at the most, as a power of two of a microsecond.
    public func mostTook(_ operation: LoadOperation) -> Duration {
        let counts = words[operation]?.prefix(LatencyTable.buckets) ?? []
        let all = counts.reduce(0, +)
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            seen += count
            if Double(seen) >= 0.999 * Double(all) { return .microseconds(Int64(1) << Int64(bucket)) }
        }
        return .zero
    }

    /// A line for each kind: how many, p99.9 and the longest here and, for comparison, there.
    public func text(beside other: LatencyTable) -> String {
        let lines = words.keys.sorted { $0.rawValue < $1.rawValue }.map { operation in
            let count = words[operation]?.prefix(LatencyTable.buckets).reduce(0, +) ?? 0
            func milliseconds(_ time: Duration) -> String { "\((time.seconds * 1e6).rounded() / 1000) ms" }
            return "\(operation): \(count) times, p99.9 \(milliseconds(mostTook(operation))), longest"
                + " \(milliseconds(longest(of: operation))); on the plain directory p99.9"
                + " \(milliseconds(other.mostTook(operation))), longest \(milliseconds(other.longest(of: operation)))"
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
