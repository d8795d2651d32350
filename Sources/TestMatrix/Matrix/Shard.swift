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

    /// Whether the cell at this place of the plan belongs to it: they are dealt out in turn, so that each shard gets some of
    /// every suite.
    public func contains(_ position: Int) -> Bool { position % count == index - 1 }

    /// Which shard has it.
    public static func owner(of position: Int, count: Int) -> Shard { Shard(index: position % count + 1, count: count) }

    public var description: String { "\(index)/\(count)" }
}
