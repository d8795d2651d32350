import BenchCore

/// A comparison of what was measured, as text.
public struct SpeedComparisonReport {
    private let comparison: SpeedComparison

    public init(_ comparison: SpeedComparison) {
        self.comparison = comparison
    }

    public var text: String {
        var lines = [
            "from \(comparison.old) to \(comparison.new): \(Format.count(comparison.changes.count, "measurement")) in both"
        ]
        if !comparison.differences.isEmpty {
            lines.append(
                "another \(comparison.differences.joined(separator: " and ")): only ratios to a reference are compared")
        }
        var table = TextTable("job", "subject", "before", "now", "change", "beside the reference", "")
        for change in comparison.changes {
            table.add([
                "\(change.area)/\(change.name)", change.target, SpeedText.speed(change.old),
                "\(SpeedText.speed(change.new)) \(change.unit)", change.absolute.map(SpeedText.ratio) ?? "–",
                change.relative.map { "\(SpeedText.ratio($0)) of \(change.reference ?? "")" } ?? "–",
                change.judgement == .noChange ? "" : change.judgement.rawValue,
            ])
        }
        let count = comparison.changes.filter { $0.judgement == .regression }.count
        let verdict =
            "measurements: " + (count == 0 ? "no regression" : Format.count(count, "regression"))
            + " by a factor of \(SpeedText.fixed(comparison.factor, 2))"
            + (comparison.unjudged == 0 ? "" : "; \(comparison.unjudged) not judged")
        return (lines + [""] + table.lines() + ["", verdict]).joined(separator: "\n") + "\n"
    }
}
