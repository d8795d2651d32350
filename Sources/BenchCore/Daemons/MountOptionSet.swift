import LinuxSystem

/// Options that this project's daemon is mounted with, as `mount -o` takes them: a dimension of what suites run on.
public struct MountOptionSet: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `name` or `name=value`; empty for the daemon's defaults.
    public var options: [String]

    public init(_ options: [String]) {
        self.options = options
    }

    /// Options separated by commas; `none` and nothing at all are the daemon's defaults.
    public init(parsing text: String) {
        options = text == MountOptionSet.none ? [] : text.split(separator: ",").map(String.init)
    }

    private static let none = "none"
    /// What stands for ``pairs(for:seed:)`` in a list.
    public static let pairs = "pairs"

    /// As it is written after `-o`.
    public var text: String { options.joined(separator: ",") }

    public var description: String { options.isEmpty ? MountOptionSet.none : text }

    /// What a transport with these options is called in reports: `legacy+writeback,direct_io`.
    public func label(on transport: TransportName) -> String {
        options.isEmpty ? transport.rawValue : "\(transport.rawValue)+\(text)"
    }

    /// The sets that a list names, for one transport: each text once, and `pairs` as the sets that it stands for.
    public static func sets(_ texts: [String], on transport: TransportName, seed: UInt64) -> [MountOptionSet] {
        var result: [MountOptionSet] = []
        for text in texts {
            let sets =
                text == pairs ? MountOptionSet.pairs(for: transport, seed: seed) : [MountOptionSet(parsing: text)]
            for set in sets where !result.contains(set) { result.append(set) }
        }
        return texts.isEmpty ? [MountOptionSet([])] : result
    }

    /// The options that change how a mount works, each with its other values; nil is the default.
    static func factors(for transport: TransportName) -> [[String?]] {
        let common: [[String?]] = [
            [nil, "writeback"], [nil, "direct_io"], [nil, "cache=never", "cache=always"], [nil, "passthrough"],
            [nil, "no_file_handles"], [nil, "max_write=4096"],
        ]
        return common + [transport.usesRing ? [nil, "depth=1"] : [nil, "threads=1"]]
    }

    /// A covering array of strength two: each value of an option meets each value of each other option in one of the sets. Which
    /// ones these are, the seed decides.
    public static func pairs(for transport: TransportName, seed: UInt64) -> [MountOptionSet] {
        let factors = factors(for: transport)
        var random = SplitMix64(seed: seed)
        var missing = allPairs(of: factors)
        var rows: [[Int]] = []
        while let wanted = missing.sorted().randomElement(using: &random) {
            // The best of some rows that have at least this pair.
            let candidates = (0..<40).map { _ in
                var row = factors.map { Int.random(in: $0.indices, using: &random) }
                (row[wanted.first], row[wanted.second]) = (wanted.firstValue, wanted.secondValue)
                return row
            }
            let best = candidates.max {
                missing.intersection(pairs(in: $0)).count < missing.intersection(pairs(in: $1)).count
            }!
            missing.subtract(pairs(in: best))
            rows.append(best)
        }
        return rows.map { row in MountOptionSet(zip(factors, row).compactMap { $0[$1] }) }
    }

    /// Two options, by their places, with a value of each.
    struct Pair: Hashable, Comparable {
        let first, firstValue, second, secondValue: Int

        static func < (one: Pair, other: Pair) -> Bool {
            (one.first, one.firstValue, one.second, one.secondValue)
                < (other.first, other.firstValue, other.second, other.secondValue)
        }
    }

    private static func allPairs(of factors: [[String?]]) -> Set<Pair> {
        var result = Set<Pair>()
        for first in factors.indices {
            for second in factors.indices where second > first {
                for firstValue in factors[first].indices {
                    for secondValue in factors[second].indices {
                        result.insert(
                            Pair(first: first, firstValue: firstValue, second: second, secondValue: secondValue))
                    }
                }
            }
        }
        return result
    }

    private static func pairs(in row: [Int]) -> Set<Pair> {
        var result = Set<Pair>()
        for first in row.indices {
            for second in row.indices where second > first {
                result.insert(Pair(first: first, firstValue: row[first], second: second, secondValue: row[second]))
            }
        }
        return result
    }
}

extension Target {
    /// This project's daemon on a transport, mounted with these options.
    public init(_ transport: TransportName, _ mountOptions: MountOptionSet, fault: String? = nil) {
        self.init(
            .transport(transport), label: mountOptions.label(on: transport),
            options: mountOptions.options.isEmpty ? [] : ["-o", mountOptions.text], fault: fault)
    }
}
