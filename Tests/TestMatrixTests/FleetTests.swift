import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct FleetTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// What shard `index` of two has written: its cell finished or at work, the other one's elsewhere.
    private func write(_ index: Int, _ states: [CellRecord.State], isEnded: Bool = false, failures: Int = 0) throws {
        let cells = states.enumerated().map { position, state in
            let record = CellRecord(
                cell: Cell(suite: "s\(position)", target: "legacy"), position: position, state: state, seed: 1)
            var cell = MatrixProgress.CellProgress(record: record)
            cell.counts.passed = state == .elsewhere ? 0 : 10
            cell.counts.failed = state == .elsewhere ? 0 : failures
            cell.current = state == .running ? "area/test" : nil
            return cell
        }
        let progress = MatrixProgress(run: RunRecord.some("run-\(index)"), cells: cells, began: Date())
        let path = "\(folder.path)/shard-\(index)/runs/run-\(index)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        ShardProgress(progress, shard: "\(index)/2", machine: "node\(index)", isEnded: isEnded).write(to: path)
    }

    @Test func shardsAreShownAsOneMatrix() throws {
        var fleet = Fleet([folder.path])
        fleet.look(at: Date())
        #expect(fleet.isEmpty)
        try write(1, [.finished, .elsewhere], isEnded: true, failures: 2)
        try write(2, [.elsewhere, .running])
        fleet.look(at: Date())
        let progress = fleet.progress
        #expect(progress.cells.map(\.record.state) == [.finished, .running])
        #expect(progress.counts.passed == 20 && progress.counts.failed == 2)
        #expect(!fleet.isDone)
        let text = FleetFrame(fleet, now: Date()).text
        #expect(text.contains("shard 2/2      node2            10 passed  s1/legacy  area/test"))
        #expect(text.contains("shard 1/2      node1            10 passed, 2 failed  done"))
        #expect(text.contains("10/12 2 bad"))
        try write(2, [.elsewhere, .finished], isEnded: true)
        fleet.look(at: Date())
        #expect(fleet.isDone)
    }

    @Test func whoSaysNothingIsNamedFirstByOurClock() throws {
        var fleet = Fleet([folder.path + "/shard-1", folder.path + "/shard-2"])
        let now = Date()
        try write(1, [.running, .elsewhere])
        try write(2, [.elsewhere, .running])
        fleet.look(at: now)
        try write(1, [.finished, .elsewhere])
        fleet.look(at: now + 60)
        let lines = FleetFrame(fleet, now: now + 61).lines(width: 100, height: 30)
        #expect(lines[0].rendered(limit: 100, color: false).hasPrefix("shard 2/2"))
        #expect(lines[0].rendered(limit: 100, color: false).hasSuffix("silent for 1 min 01 s"))
        #expect(!lines[1].rendered(limit: 100, color: false).contains("silent"))
        #expect(lines.count <= 30)
    }

    /// A test may take minutes: a shard that says the same again lives, and one that says nothing does not.
    @Test func theSameAgainIsNews() throws {
        var fleet = Fleet([folder.path])
        let now = Date()
        for index in 1...2 { try write(index, [.running, .elsewhere]) }
        fleet.look(at: now)
        #expect(!fleet.isKnown(at: now, since: now))
        let path = "\(folder.path)/shard-1/runs/run-1"
        try #require(ShardProgress(path: "\(path)/\(ShardProgress.fileName)")).write(to: path)
        fleet.look(at: now + 2)
        #expect(!fleet.isKnown(at: now + 2, since: now))
        #expect(fleet.isKnown(at: now + 16, since: now))
        let lines = FleetFrame(fleet, now: now + 16).text.split(separator: "\n")
        #expect(lines[0].hasPrefix("shard 2/2") && lines[0].hasSuffix("silent for 16 s"))
        #expect(lines[1].hasPrefix("shard 1/2") && !lines[1].contains("silent"))
    }

    @Test func aShardThatEndedEarlySaysSo() throws {
        try write(1, [.planned, .elsewhere], isEnded: true)
        var fleet = Fleet([folder.path])
        fleet.look(at: Date())
        #expect(FleetFrame(fleet, now: Date()).text.contains("ended early"))
        #expect(!fleet.isDone)
    }
}
