import BenchCore
import Foundation

/// The matrix as lines, for a pipe or a CI log: a line when a cell begins and ends, one for each failure, and one a minute as a
/// sign of life.
public final class PlainView: MatrixView {
    private let write: (String) -> Void
    private var said = Date()

    /// - Parameter write: takes a line without its end.
    public init(write: @escaping (String) -> Void) {
        self.write = write
    }

    public func show(_ event: MatrixEvent, _ progress: MatrixProgress) {
        switch event {
        case .began:
            say(
                "run \(progress.runID) on Linux \(progress.kernel), seed \(progress.seed), \(Format.count(progress.all, "cell"))"
            )
            for cell in progress.cells where cell.record.state == .leftOut {
                say("left out: \(cell.record.cell.key): \(cell.record.reason)")
            }
            if progress.done > 0 { say("already run: \(Format.count(progress.done, "cell"))") }
        case .cellBegan(let index):
            let cell = progress.cells[index]
            let expected = cell.expected.map { ", takes about \(Format.duration($0))" } ?? ""
            say("\(place(index, progress)) begins\(expected)")
        case .testBegan, .ended: break
        case .result(let index, let result):
            guard result.verdict.isFailure else { return }
            say(
                "\(place(index, progress)) \(result.verdict.rawValue.uppercased()) \(result.path): \(result.message)"
            )
            for path in result.evidence { say("    see \(path)") }
        case .cellEnded(let index):
            let cell = progress.cells[index]
            if cell.record.state == .leftOut {
                say("\(place(index, progress)) left out: \(cell.record.reason)")
            } else {
                say("\(place(index, progress)) \(cell.counts.text), in \(Format.duration(cell.record.seconds))")
            }
        case .note(let text): say("note: \(text)")
        }
    }

    public func tick(_ progress: MatrixProgress) {
        guard Date().timeIntervalSince(said) >= 60, let index = progress.current else { return }
        let cell = progress.cells[index]
        let planned = cell.planned.map { " of \($0)" } ?? ""
        say("\(place(index, progress)) \(cell.counts.total)\(planned) done, now \(cell.current ?? "between tests")")
    }

    public func close() {}

    private func place(_ index: Int, _ progress: MatrixProgress) -> String {
        let number = progress.cells[...index].filter { ![.leftOut, .elsewhere].contains($0.record.state) }.count
        return "[\(number)/\(progress.all)] \(progress.cells[index].record.cell.key):"
    }

    private func say(_ line: String) {
        said = Date()
        write(String(line.map { $0.isNewline ? " " : $0 }))
    }
}
