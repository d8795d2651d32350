import Foundation
public import LinuxSystem
import BenchCore

/// The K-th of N parts of a plan.
public struct Shard: Sendable, Hashable, CustomStringConvertible {
    /// From 1.
    public var index: Int
    public var count: Int

    public init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Reads `2/3`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = try? Shard.count(String(parts[1])),
            let index = try? Numbers.count(String(parts[0]), 1...count)
        else { return nil }
        self.init(index: index, count: count)
    }

    /// Reads how many shards there are.
    public static func count(_ text: String) throws(NumberError) -> Int { try Numbers.count(text, 1...10_000) }

    /// As reports name it.
    var name: String { "shard \(self)" }

    public var description: String { "\(index)/\(count)" }
}
