import BenchCore

/// The cycles of one suite on one target.
public struct CellGroup: Sendable {
    public var cells: [CellReport]

    public var counts: Counts { cells.reduce(into: Counts()) { $0 += $1.counts } }
    public var seconds: Double { cells.reduce(0) { $0 + $1.record.seconds } }

    public var standing: Standing {
        let standings = cells.map(\.standing)
        for worst in [Standing.failed, .unfinished, .passed, .empty] where standings.contains(worst) { return worst }
        return .leftOut
    }

    /// Why there is nothing to show.
    public var reason: String { cells.map(\.record.reason).filter { !$0.isEmpty }.uniqued().joined(separator: "; ") }
}
