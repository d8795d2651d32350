import LinuxSystem
import RingFuzzSuite

/// The scripts of a seed, one after the other.
struct RingFuzzCases {
    let seed: UInt64
    /// The next one's.
    private(set) var number: Int
    /// Nil where a time bounds them.
    let count: Int?
    private var given = 0
    private let deadline: Deadline?
    /// Scripts that have all of one of these are known to break this kernel: what else does is asked.
    private let avoided: [Set<String>]
    private let skipped: Set<String>

    init(
        seed: UInt64, first: Int, count: Int?, deadline: Deadline?, avoided: [Set<String>], skipped: Set<String>
    ) {
        (self.seed, number, self.count, self.deadline) = (seed, first, count, deadline)
        (self.avoided, self.skipped) = (avoided, skipped)
    }

    mutating func next() -> RingFuzzSession.Case? {
        while count.map({ given < $0 }) ?? true, deadline?.hasPassed != true {
            let script = Script(seed: Script.seed(number, of: seed))
            number += 1
            let peculiarities = script.peculiarities
            if avoided.contains(where: { $0.isSubset(of: peculiarities) }) { continue }
            given += 1
            let name = Self.name(script)
            if skipped.contains(name) { continue }
            return RingFuzzSession.Case(name: name, script: script)
        }
        return nil
    }

    /// Goes on behind this script.
    mutating func pass(_ script: Script) {
        while Script.seed(number, of: seed) != script.seed { number += 1 }
        number += 1
    }

    static func name(_ script: Script) -> String { "seed-\(script.seed)" }

    /// The script of a result; nil if it was not drawn.
    static func script(named name: String) -> Script? {
        guard name.hasPrefix("seed-"), let seed = UInt64(name.dropFirst("seed-".count)) else { return nil }
        return Script(seed: seed)
    }

    /// `a b=c, d e=f`
    static func peculiarities(_ text: String) -> Set<String> {
        Set(text.split(separator: ",").map { part in String(part.drop { $0 == " " }) })
    }
}
