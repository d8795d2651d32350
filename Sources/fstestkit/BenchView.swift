import BenchCore
import Foundation
import SpeedSuite
import TestMatrix

/// Shows a run of the bench as it goes: on a terminal the table, drawn again with each trial; elsewhere a line for each round.
final class BenchView {
    private let json: Bool
    private let isLive: Bool
    private var line = ""
    /// As the last round left it.
    private var table: [String] = []
    private var secondsLeft: Double?
    private var round = 0
    private var said = Date()

    init(json: Bool, _ record: SpeedRecord) {
        self.json = json
        isLive = !json && Terminal.isLive
        if json { SuiteEvent.planned(count: record.jobs.count * max(1, record.subjects.count - 1)).emit() }
        if isLive { write("\u{1b}[?1049h\u{1b}[?25l") }
    }

    func show(_ event: SpeedSession.Event, _ record: SpeedRecord) {
        switch event {
        case .began:
            say(
                "\(record.subjects.map(\.name).joined(separator: ", ")); \(record.jobs.count) jobs; seed \(record.seed)"
            )
        case .trying(let job, let subject):
            line = "\(record.jobs[job].title) on \(record.subjects[subject].name)"
        case .tried: tellMatrix(record)
        case .round(let number, let left):
            (round, secondsLeft) = (number + 1, left)
            let name = number == 0 ? "warm-up" : "round \(number)"
            table = SpeedTable(record).lines()
            say("\(name) done, at most \(Int(left.rounded())) s left")
        }
        draw()
    }

    /// Gives the terminal back, and says what came of it.
    func finish(_ record: SpeedRecord, _ left: [String]) {
        if isLive { write("\u{1b}[?25h\u{1b}[?1049l") }
        let width = isLive ? Terminal.size(of: STDOUT_FILENO).width : nil
        let table = SpeedTable(record)
        for text in table.lines(width: width) + [""] + table.summary + left.map({ "left behind: \($0)" }) {
            print(text)
        }
    }

    /// A long run is no dead one.
    private func tellMatrix(_ record: SpeedRecord) {
        guard json, Date().timeIntervalSince(said) > 30 else { return }
        said = Date()
        SuiteEvent.planned(count: record.jobs.count * max(1, record.subjects.count - 1)).emit()
    }

    private func draw() {
        guard isLive else { return }
        let size = Terminal.size(of: STDOUT_FILENO)
        let state = round == 0 ? "warm-up" : "round \(round)"
        let time = secondsLeft.map { ", at most \(Int($0.rounded())) s left" } ?? ""
        let status = "\(state): \(line)\(time)"
        // The last jobs are seen where not all fit.
        let lines = [status, ""] + table.suffix(max(0, size.height - 3))
        let shown = lines.map { $0.prefix(size.width) }
        write("\u{1b}[H" + shown.joined(separator: "\u{1b}[K\r\n") + "\u{1b}[K\u{1b}[J")
    }

    private func say(_ text: String) { if !isLive { print(text) } }

    /// With `--json` standard output is for the results alone.
    private func print(_ text: String) { write(text + "\n") }

    private func write(_ text: String) {
        (json ? FileHandle.standardError : .standardOutput).write(Data(text.utf8))
    }
}
