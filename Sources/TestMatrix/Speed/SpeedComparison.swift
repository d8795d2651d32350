public import BenchCore
import LinuxSystem

/// What two runs have measured, side by side.
public struct SpeedComparison: Sendable, Codable {
    public enum Judgement: String, Sendable, Codable {
        case regression
        case improvement
        case noChange = "no change"
        /// Too much else was going on in one of the runs.
        case disturbed
        /// In one of the runs at least: such a one was interrupted, or asked for few.
        case tooFewRounds = "too few rounds"
        /// Measured on different machines, and beside nothing that both have.
        case notComparable = "not comparable"
    }

    public struct Change: Sendable, Codable {
        public var suite: String
        public var area: String
        public var name: String
        public var target: String
        public var unit: String
        public var old: Double
        public var new: Double
        /// How many times as good it is now, by what was measured; nil where machine, kernel or settings differ.
        public var absolute: RatioEstimate?
        /// The same of the ratio to the reference; nil without one.
        public var relative: RatioEstimate?
        public var reference: String?
        public var judgement: Judgement
    }

    public var old: String
    public var new: String
    /// What differs between the two, so that only ratios to a reference can be compared; empty where nothing does.
    public var differences: [String]
    public var factor: Double
    public var changes: [Change] = []

    /// Those that are neither regression nor the opposite, and not the same either: nothing can be said of them.
    public var unjudged: Int {
        changes.count { [.disturbed, .tooFewRounds, .notComparable].contains($0.judgement) }
    }

    public var hasRegression: Bool { changes.contains { $0.judgement == .regression } }

    /// - Parameter factor: a change counts when its interval lies wholly beyond it.
    public init(from old: RunReport, to new: RunReport, factor: Double) {
        self.old = old.run.id
        self.new = new.run.id
        self.factor = factor
        differences = SpeedComparison.differences(old.run, new.run)
        let before = SpeedComparison.measurements(of: old)
        let after = SpeedComparison.measurements(of: new)
        let common = after.filter { before[$0.key]?.unit == $0.value.unit }
        for (key, now) in common.sorted(by: { $0.key < $1.key }) {
            guard let then = before[key] else { continue }
            changes.append(change(key, then, now, among: common.count))
        }
    }

    private func change(_ key: Key, _ old: Measurement, _ new: Measurement, among count: Int) -> Change {
        var result = Change(
            suite: key.suite, area: key.area, name: key.name, target: key.target, unit: new.unit, old: old.median,
            new: new.median, judgement: .notComparable)
        func estimate(_ groups: [MedianQuotient.Together]) -> RatioEstimate? {
            let estimate = MedianQuotient(groups).estimate(seed: key.seed)
            return new.isSpeed ? estimate : estimate?.inverted
        }
        // What is counted in a guest does not depend on the machine around it.
        if differences.isEmpty || !new.isSpeed, old.settings == new.settings {
            result.absolute = estimate([.init(above: [new.values]), .init(below: [old.values])])
        }
        if let before = old.reference, let now = new.reference, before.subject == now.subject {
            result.reference = now.subject
            result.relative = estimate([
                .init(above: [new.values], below: [now.values]), .init(above: [before.values], below: [old.values]),
            ])
        }
        let estimates = [result.absolute, result.relative].compactMap(\.self)
        guard !estimates.isEmpty else { return result }
        if min(old.values.count, new.values.count) < RatioEstimate.fewestRounds {
            result.judgement = .tooFewRounds
            return result
        }
        let isDisturbed = old.isDisturbed || new.isDisturbed
        let bound = isDisturbed ? factor * SpeedComparison.disturbance : factor
        if estimates.allSatisfy({ $0.differs(among: count) && $0.high < 1 / bound }) {
            result.judgement = .regression
        } else if estimates.allSatisfy({ $0.differs(among: count) && $0.low > bound }) {
            result.judgement = .improvement
        } else {
            result.judgement = isDisturbed ? .disturbed : .noChange
        }
        return result
    }

    /// What others do on a machine may slow one side of a comparison and not the other, by no more than this as a rule.
    private static let disturbance = 4.0

    private struct Key: Hashable, Comparable {
        let suite, target, area, name: String

        static func < (one: Key, other: Key) -> Bool {
            (one.suite, one.area, one.name, one.target) < (other.suite, other.area, other.name, other.target)
        }

        /// The same two runs give the same intervals each time.
        var seed: UInt64 {
            var hash = FNV1a()
            hash.combine("\(suite)/\(target)/\(area)/\(name)".utf8)
            return hash.value
        }
    }

    /// By name; the plain directory is a ruler, and not what is measured.
    private static func measurements(of report: RunReport) -> [Key: Measurement] {
        var result: [Key: Measurement] = [:]
        for cell in report.cells where cell.record.cell.target != "directory" {
            for test in cell.results {
                let key = Key(
                    suite: cell.record.cell.suite, target: cell.record.cell.column, area: test.area, name: test.name)
                result[key] = test.measurement
            }
        }
        return result
    }

    private static func differences(_ old: RunRecord, _ new: RunRecord) -> [String] {
        var result: [String] = []
        if old.machine != new.machine { result.append("machine") }
        if old.kernel != new.kernel { result.append("kernel") }
        return result
    }
}
