import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct LiveFrameTests {
    private func progress(cycles: Int = 1, depths: [Int] = []) -> MatrixProgress {
        var configuration = MatrixConfiguration()
        configuration.suites = ["correctness", "stop-path", "xfstests"]
        configuration.cycles = cycles
        configuration.depths = depths
        let plan = MatrixPlan(configuration, seed: 42)
        let records = MatrixRunner.cells(plan, shard: nil, availability: Availability())
        var progress = MatrixProgress(
            run: .some("20260101-000000-0001"), cells: records.map { .init(record: $0) },
            began: Date(timeIntervalSince1970: 0))
        progress.cells[0].record.state = .finished
        progress.cells[0].record.seconds = 40
        progress.cells[0].counts = Counts([.passed, .passed, .failed])
        progress.cells[1].record.state = .running
        progress.cells[1].record.started = Date(timeIntervalSince1970: 40)
        progress.cells[1].planned = 10
        progress.cells[1].counts = Counts([.passed, .passed, .passed, .passed])
        progress.cells[1].current = "names/日本語 \u{1b}[2J a name that is long enough to run over every edge there is"
        progress.cells[1].testBegan = Date(timeIntervalSince1970: 50)
        progress.current = 1
        for index in 0..<12 {
            progress.failures.append(
                .init(
                    cell: records[0].cell,
                    result: .some(
                        "rename", "test \(index)", .failed, message: "expected\n0, got ENOENT and much more text")))
        }
        return progress
    }

    /// Every size from a stamp to a wall, with and without colour: no line is wider or more numerous than the terminal.
    @Test(arguments: [1, 2, 10, 39, 40, 79, 80, 100, 200], [1, 2, 5, 10, 24, 60])
    func nothingIsLargerThanTheTerminal(width: Int, height: Int) {
        for progress in [progress(), progress(cycles: 2, depths: [1, 2, 8, 64])] {
            let lines = LiveFrame(
                progress: progress, width: width, height: height, now: Date(timeIntervalSince1970: 60)
            ).lines()
            #expect(lines.count <= height)
            for line in lines {
                let text = line.rendered(limit: width, color: false)
                #expect(StyledLine.width(text) <= width)
                #expect(!text.contains("\u{1b}") && !text.contains("\n"))
                let plain = line.rendered(limit: width, color: true).replacing(#/\u{1b}\[[0-9;]*m/#, with: "")
                #expect(plain == text)
            }
        }
    }

    @Test func eightyColumnsHoldTheMatrix() {
        let lines = LiveFrame(progress: progress(), width: 80, height: 24, now: Date(timeIntervalSince1970: 60)).lines()
            .map { $0.rendered(limit: 80, color: false) }
        #expect(lines[2].contains("legacy") && lines[2].contains("uring-percore"))
        #expect(lines[3].contains("2/3 1 bad") && lines[3].contains("4/4 40 % …"))
        #expect(lines.contains { $0.hasPrefix("running  correctness/uring-single  names/") })
        #expect(lines.contains { $0.contains("cell 2 of 6") && $0.contains("tests/s") })
        #expect(lines.contains { $0.hasPrefix("failed correctness/legacy rename/test 11") })
    }

    @Test func theEstimateComesFromWhatIsKnown() {
        var progress = progress()
        // Nothing is known of stop-path.
        #expect(progress.remaining(at: Date(timeIntervalSince1970: 60)) == nil)
        for index in progress.cells.indices { progress.cells[index].expected = 100 }
        // 20 s into one of 100 s, and four more.
        let remaining: Double? = progress.remaining(at: Date(timeIntervalSince1970: 60))
        let expected: Double? = 80 + 400
        #expect(remaining == expected)
    }

    @Test func plainLinesTellTheStory() {
        var lines: [String] = []
        let view = PlainView { lines.append($0) }
        let progress = progress()
        view.show(.began, progress)
        view.show(.result(0, .some("a", "b\nc", .failed, message: "m", evidence: ["e"])), progress)
        view.show(.cellEnded(0), progress)
        #expect(lines[0] == "run 20260101-000000-0001 on Linux 6.18.0, seed 42, 6 cells".replacing("42", with: "7"))
        #expect(lines.contains { $0.hasPrefix("left out: xfstests/legacy: ") })
        #expect(lines.contains("[1/6] correctness/legacy: FAILED a/b c: m"))
        #expect(lines.last == "[1/6] correctness/legacy: 2 passed, 1 failed, in 40 s")
    }
}
