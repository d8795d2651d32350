import BenchCore
import Foundation

/// What the live view shows at one moment: lines that fit the terminal, whatever its size.
struct LiveFrame {
    let progress: MatrixProgress
    let width: Int
    let height: Int
    let now: Date
    private static let mostFailures = 20

    func lines() -> [StyledLine] {
        guard width > 0, height > 0 else { return [] }
        let top = [heading(), StyledLine()]
        let bottom = [StyledLine()] + status()
        // Failures get what is left; the matrix is cut before the status is.
        let matrix = self.matrix()
        let room = max(1, height - top.count - bottom.count)
        var lines = top + fit(matrix, room) + bottom
        lines += failures(room: height - lines.count)
        return Array(lines.prefix(height))
    }

    private func heading() -> StyledLine {
        var line = StyledLine("fstestkit matrix", .strong)
        line.add("  \(progress.runID)  Linux \(progress.kernel)  seed \(progress.seed)", .faint)
        return line
    }

    /// Suites by targets where that fits, else a line for each group.
    private func matrix() -> [StyledLine] {
        let suites = progress.suites
        let columns = progress.columns
        let groups = suites.map { suite in columns.map { column in group(suite, column) } }
        let first = (suites.map(\.count).max() ?? 0) + 2
        let widths = columns.indices.map { index in
            max(columns[index].count, groups.map { $0[index].width }.max() ?? 0, 16) + 2
        }
        if first + widths.reduce(0, +) <= width {
            var heading = StyledLine()
            for (index, column) in columns.enumerated() {
                heading.pad(to: first + widths[..<index].reduce(0, +))
                heading.add(column, .faint)
            }
            return [heading]
                + suites.indices.map { row in
                    var line = StyledLine(suites[row])
                    for index in columns.indices {
                        line.pad(to: first + widths[..<index].reduce(0, +))
                        for piece in groups[row][index].pieces { line.add(piece.text, piece.style) }
                    }
                    return line
                }
        }
        let names = suites.flatMap { suite in columns.map { "\(suite)/\($0)" } }
        let column = min((names.map(\.count).max() ?? 0) + 2, max(12, width - 18))
        return zip(names, groups.joined()).map { name, group in
            var line = StyledLine(name.count > column - 2 ? String(name.prefix(column - 3)) + "…" : name)
            line.pad(to: column)
            for piece in group.pieces { line.add(piece.text, piece.style) }
            return line
        }
    }

    private func group(_ suite: String, _ column: String) -> StyledLine {
        let cells = progress.cells.filter { $0.record.cell.suite == suite && $0.record.cell.column == column }
        guard !cells.isEmpty else { return StyledLine() }
        let counts = cells.reduce(into: Counts()) { $0 += $1.counts }
        let states = Set(cells.map(\.record.state))
        let share = "\(counts.passed)/\(counts.executed)"
        if let cell = cells.first(where: { $0.record.state == .running }) {
            let percent = cell.planned.map { " \(min(99, 100 * cell.counts.total / max(1, $0))) %" } ?? ""
            return StyledLine("\(share)\(percent) …", counts.failures > 0 ? .bad : .active)
        }
        if states.contains(.planned) && counts.total == 0 { return StyledLine("·", .faint) }
        if states == [.leftOut] { return StyledLine("left out", .faint) }
        if states == [.elsewhere] { return StyledLine("elsewhere", .faint) }
        return counts.failures > 0
            ? StyledLine("\(share) \(counts.failures) bad", .bad) : StyledLine("\(share) ok", .good)
    }

    /// As many of the matrix's lines as fit, those around the running cell.
    private func fit(_ lines: [StyledLine], _ room: Int) -> [StyledLine] {
        guard lines.count > room else { return lines }
        let active = lines.firstIndex { line in line.pieces.contains { $0.text.hasSuffix(" …") } } ?? 0
        let start = max(0, min(active - room / 2, lines.count - room))
        return Array(lines[start..<(start + room)])
    }

    private func status() -> [StyledLine] {
        let elapsed = now.timeIntervalSince(progress.began)
        let counts = progress.counts
        let isDone = progress.done == progress.all
        var first = StyledLine(isDone ? "done" : "running  ", .faint)
        if let index = progress.current {
            let cell = progress.cells[index]
            first.add(cell.record.cell.key, .active)
            if let current = cell.current { first.add("  \(current)") }
            if let began = cell.testBegan, now.timeIntervalSince(began) >= 2 {
                first.add(" (\(Format.duration(now.timeIntervalSince(began))))", .faint)
            }
        }
        var second = StyledLine("results  ", .faint)
        second.add(counts.text, counts.failures > 0 ? .bad : .plain)
        var third = StyledLine("time     ", .faint)
        third.add("\(Format.duration(elapsed)), cell \(min(progress.done + 1, progress.all)) of \(progress.all)")
        if isDone { return [first, second, third] }
        if elapsed > 1 { third.add(String(format: ", %.1f tests/s", Double(counts.total) / elapsed)) }
        if let remaining = progress.remaining(at: now) { third.add(", about \(Format.duration(remaining)) left") }
        return [first, second, third]
    }

    private func failures(room: Int) -> [StyledLine] {
        guard !progress.failures.isEmpty, room >= 3 else { return [] }
        var lines = [StyledLine(), StyledLine("failures", .faint)]
        // A text of any length ends with what came last.
        let shown = progress.failures.suffix(min(room - 2, LiveFrame.mostFailures))
        for failure in shown.reversed() {
            var line = StyledLine(failure.result.verdict.rawValue, .bad)
            line.add(" \(failure.cell.key) \(failure.result.path)")
            line.add(": \(failure.result.message)", .faint)
            lines.append(line)
        }
        let rest = progress.failures.count - shown.count
        if rest > 0 && room > lines.count { lines.append(StyledLine("… and \(rest) before", .faint)) }
        return lines
    }
}
