public import BenchCore

/// How many results there are of each verdict. Every format takes its numbers from here.
public struct Counts: Sendable, Hashable, Codable {
    public var passed = 0
    public var failed = 0
    public var skipped = 0
    public var hung = 0
    public var crashed = 0

    public init() {}

    public init(_ verdicts: some Sequence<Verdict>) {
        for verdict in verdicts { self[verdict] += 1 }
    }

    public subscript(verdict: Verdict) -> Int {
        get {
            switch verdict {
            case .passed: passed
            case .failed: failed
            case .skipped: skipped
            case .hung: hung
            case .crashed: crashed
            }
        }
        set {
            switch verdict {
            case .passed: passed = newValue
            case .failed: failed = newValue
            case .skipped: skipped = newValue
            case .hung: hung = newValue
            case .crashed: crashed = newValue
            }
        }
    }

    public var total: Int { passed + failed + skipped + hung + crashed }
    /// What really ran: a skip is no pass.
    public var executed: Int { total - skipped }
    public var failures: Int { failed + hung + crashed }

    public static func + (one: Counts, other: Counts) -> Counts {
        var sum = Counts()
        for verdict in Verdict.allCases { sum[verdict] = one[verdict] + other[verdict] }
        return sum
    }

    public static func += (one: inout Counts, other: Counts) { one = one + other }

    /// `120 passed, 2 failed, 3 skipped`; what there is none of is left out, save the passed.
    public var text: String {
        Verdict.allCases.filter { $0 == .passed || self[$0] > 0 }.map { "\(self[$0]) \($0.rawValue)" }
            .joined(separator: ", ")
    }
}
