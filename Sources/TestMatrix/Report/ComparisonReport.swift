import BenchCore

/// A comparison as text.
public struct ComparisonReport {
    private let comparison: Comparison

    public init(_ comparison: Comparison) {
        self.comparison = comparison
    }

    public var text: String {
        var lines = ["from \(comparison.old) to \(comparison.new): \(Format.count(comparison.common, "test")) in both"]
        lines += section("regressions", comparison.regressions) { change in
            [verdicts(change), "    \(change.message)"]
                + (change.old?.isFailure == true ? change.findings.map { "    new: \($0)" } : []).filter {
                    !$0.allSatisfy(\.isWhitespace)
                }
                + change.evidence.map { "    see \($0)" }
        }
        lines += section("fixed", comparison.fixes) { [verdicts($0)] }
        lines += section("still failing", comparison.stillFailing) { [verdicts($0)] }
        lines += section("no longer passing, not failing either", comparison.lost) { [verdicts($0)] }
        lines += section("passing for the first time", comparison.gained) { [verdicts($0)] }
        lines += section("slower", comparison.slower) { [times($0)] }
        lines += section("faster", comparison.faster) { [times($0)] }
        lines += section("only in the older run", comparison.onlyOld) { ["  \($0)"] }
        lines += section("only in the newer run", comparison.onlyNew) { ["  \($0)"] }
        let count = comparison.regressions.count
        lines += ["", "verdicts: " + (count == 0 ? "no regression" : Format.count(count, "regression"))]
        return lines.joined(separator: "\n") + "\n"
    }

    private func section<Element>(_ title: String, _ items: [Element], _ text: (Element) -> [String]) -> [String] {
        items.isEmpty ? [] : ["", "\(title): \(items.count)"] + items.flatMap(text)
    }

    private func verdicts(_ change: Comparison.Change) -> String {
        "  \(name(change)): \(change.old?.rawValue ?? "missing") → \(change.new?.rawValue ?? "missing")"
    }

    private func times(_ change: Comparison.Change) -> String {
        "  \(name(change)): \(Format.duration(change.oldSeconds)) → \(Format.duration(change.newSeconds))"
    }

    private func name(_ change: Comparison.Change) -> String {
        "\(change.suite)/\(change.target) " + TestResult.path(area: change.area, name: change.name)
    }
}
