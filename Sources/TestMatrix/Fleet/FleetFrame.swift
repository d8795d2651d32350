import BenchCore
public import Foundation

/// What the watch of a fleet shows at one moment: a line for each shard, then all of them as one matrix.
public struct FleetFrame {
    private let fleet: Fleet
    private let now: Date
    /// After so many seconds without news a shard is said to be silent: it writes every two.
    static let silence = 15.0

    public init(_ fleet: Fleet, now: Date) {
        self.fleet = fleet
        self.now = now
    }

    /// As plain text.
    public var text: String {
        lines(width: .max, height: .max).map { $0.rendered(limit: .max, color: false) + "\n" }.joined()
    }

    func lines(width: Int, height: Int) -> [StyledLine] {
        let shards = fleet.sorted.map(line)
        // Shards get half of the screen at most, those first of which nothing is heard.
        let shown = Array(shards.sorted { $0.rank < $1.rank }.prefix(max(1, height / 2)).map(\.line))
        let matrix = LiveFrame(
            progress: fleet.progress, width: width, height: max(1, height == .max ? .max : height - shown.count - 1),
            now: now
        ).lines()
        return shown + [StyledLine()] + matrix
    }

    private func line(_ shard: Fleet.Member) -> (rank: Int, line: StyledLine) {
        let progress = shard.progress
        let counts = progress.cells.reduce(into: Counts()) { $0 += $1.counts }
        var line = StyledLine("\(progress.shard.map { "shard \($0)" } ?? progress.run)", .strong)
        line.pad(to: 14)
        line.add(" \(progress.machine)", .faint)
        line.pad(to: 30)
        line.add("  \(counts.text)", counts.failures > 0 ? .bad : .plain)
        let silent = now.timeIntervalSince(shard.heard)
        if progress.isEnded {
            let isWhole = !progress.cells.contains { [.planned, .running].contains($0.state) }
            line.add(isWhole ? "  done" : "  ended early", isWhole ? .good : .bad)
            return (isWhole ? 3 : 1, line)
        }
        if silent > FleetFrame.silence {
            line.add("  silent for \(Format.duration(silent))", .bad)
            return (0, line)
        }
        if let cell = progress.cells.first(where: { $0.state == .running }) {
            line.add("  \(cell.cell.key)", .active)
            if let current = cell.current { line.add("  \(current)") }
        }
        return (2, line)
    }
}

extension LiveScreen {
    /// Shows a fleet as it is now.
    public func show(_ fleet: Fleet) {
        open()
        draw(atOnce: true) { FleetFrame(fleet, now: Date()).lines(width: $0, height: $1) }
    }
}
