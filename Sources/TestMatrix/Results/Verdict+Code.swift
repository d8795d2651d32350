import BenchCore

extension Verdict {
    /// The number that stands for it in the store. From 2 on it is a failure; the schema's partial index relies on that.
    var code: Int {
        switch self {
        case .passed: 0
        case .skipped: 1
        case .failed: 2
        case .hung: 3
        case .crashed: 4
        }
    }

    init?(code: Int) {
        guard let verdict = Verdict.allCases.first(where: { $0.code == code }) else { return nil }
        self = verdict
    }

    /// The worse of two: what a cell or a test over several cycles comes to. A skip is no pass, and no failure.
    func worse(_ other: Verdict) -> Verdict {
        func rank(_ verdict: Verdict) -> Int {
            switch verdict {
            case .skipped: 0
            case .passed: 1
            case .failed: 2
            case .hung: 3
            case .crashed: 4
            }
        }
        return rank(self) >= rank(other) ? self : other
    }
}
