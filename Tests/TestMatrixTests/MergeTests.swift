import BenchCore
import Foundation
import GRDB
import Testing

@testable import TestMatrix

@Suite struct MergeTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
    }

    /// A shard's run in a store: its own cells finished with one result each.
    ///
    /// - Parameter ended: how many of its cells got to their end.
    private func part(
        _ shard: Shard, seed: UInt64 = 7, suites: [String] = ["one", "two"], kernel: String = "6.18.0",
        machine: String = "bench", ended: Int = .max, started: Date? = nil, in store: Store? = nil
    ) throws -> RunReport {
        let store = store ?? self.store
        var configuration = MatrixConfiguration()
        configuration.ownSuites = suites.map { .init(name: $0, command: "true") }
        configuration.suites = suites
        let plan = MatrixPlan(configuration, seed: seed)
        let records = MatrixRunner.cells(plan, shard: shard, availability: Availability())
        var record = RunRecord.some(
            "shard-\(shard.index)-\(kernel)-\(machine)-\(seed)-\(suites.count)", kernel: kernel, seed: seed,
            shard: "\(shard)")
        record.machine.name = machine
        record.started = started ?? record.started
        let (run, cells) = try store.begin(record, cells: records)
        var left = ended
        for var cell in cells where cell.state == .planned {
            try store.append(
                [
                    .some(
                        "area", "test", target: cell.cell.target, suite: cell.cell.suite,
                        evidence: [cell.cell.folder + "/proof"])
                ], to: cell, position: 0)
            cell.state = left > 0 ? .finished : .running
            cell.started = record.started
            cell.seconds = Double(cell.position)
            cell.log = cell.cell.folder + "/log"
            try store.update(cell)
            left -= 1
            if left < 0 { return try RunReport(run, from: store) }
        }
        return try RunReport(store.end(run, state: .finished, at: record.started + 60), from: store)
    }

    private func union(_ parts: [RunReport], _ columns: RunUnion.Columns? = nil) throws -> RunReport {
        try RunUnion(parts, columns: columns).report()
    }

    @Test func aMergeThatIsStoppedLeavesNothing() throws {
        _ = try part(Shard("1/1")!)
        let output = folder.path + "/merged"
        var asked = 0
        let merge = ShardMerge(folders: [folder.path, folder.path], output: output)
        #expect(throws: CancellationError.self) {
            try merge.merge(isStopped: {
                asked += 1
                return asked == 2
            })
        }
        #expect(!FileManager.default.fileExists(atPath: output))
        #expect(try merge.merge().unreadable.isEmpty)
    }

    /// All that a merged run is, in words.
    private func essence(_ report: RunReport) -> [String] {
        [
            "\(report.run.id) \(report.run.kernel.components(separatedBy: ", ").sorted()) \(report.run.parts) \(report.standing)"
        ]
            + report.cells.map {
                "\($0.record.cell.key) \($0.record.state) \($0.record.reason) \($0.record.machine?.kernel ?? "") \($0.results)"
            }
    }

    @Test func shardsMakeTheWhole() throws {
        let merged = try union([part(Shard(index: 2, count: 2)), part(Shard(index: 1, count: 2))])
        #expect(merged.cells.allSatisfy { $0.record.state == .finished && $0.results.count == 1 })
        #expect(merged.run.state == .finished)
        #expect(merged.run.shard == nil)
        #expect(merged.standing == .passed)
    }

    @Test func inWhateverOrderAndGroupsTheSameComesOut() throws {
        let parts = try (1...4).map { try part(Shard(index: $0, count: 4), kernel: $0 == 3 ? "7.3.4" : "6.18.0") }
        let whole = try essence(union(parts))
        #expect(try essence(union(parts.reversed())) == whole)
        let (left, right) = (try union(Array(parts[..<2])), try union(Array(parts[2...])))
        #expect(try essence(union([left, right])) == whole)
        #expect(try essence(union([left, parts[2], parts[3]])) == whole)
        #expect(try essence(union([parts[0], union([parts[1], union([parts[2], parts[3]])])])) == whole)
        // What is there twice counts once.
        #expect(try essence(union(parts + [parts[1]])) == whole)
        #expect(try essence(union([left, parts[0], right])) == whole)
        #expect(try essence(union([union(parts)])) == whole)
    }

    @Test func aLostShardIsNamed() throws {
        let parts = [try part(Shard(index: 1, count: 3)), try part(Shard(index: 2, count: 3), ended: 1)]
        let (merged, _) = try store.replace(with: try union(parts))
        #expect(merged.standing == .unfinished)
        #expect(merged.missingShards == ["shard 2/3", "shard 3/3"])
        // What the second one had told before it died is there.
        #expect(merged.counts.total == 4)
        #expect(merged.cells.filter { $0.record.state == .finished }.count == 3)
        // It is run again alone.
        let other = try TemporaryFolder().store()
        let again = [
            parts[0], try part(Shard(index: 2, count: 3), in: other), try part(Shard(index: 3, count: 3), in: other),
        ]
        #expect(try union(again).standing == .passed)
        #expect(try union([merged, again[1], again[2]]).standing == .passed)
    }

    @Test func mergedAgainTakesItsPlace() throws {
        let parts = try (1...3).map { try part(Shard(index: $0, count: 3)) }
        let target = try TemporaryFolder().store()
        try target.record(.some("another"), [.some("a", "b")])
        let (first, _) = try target.replace(with: union(Array(parts[..<2])))
        let (second, replaced) = try target.replace(with: union(parts))
        #expect(replaced == [first.run.folder])
        let (third, none) = try target.replace(with: union(parts))
        #expect(none == [] && third.run.id == second.run.id)
        #expect(Set(try target.runs().map(\.id)) == ["another", second.run.id])
        // What is handed back is what is in the store.
        let recorded = try RunReport(third.run, from: target)
        #expect(recorded.standing == .passed && essence(recorded) == essence(third))
        #expect(recorded.cells.map(\.record) == third.cells.map(\.record))
    }

    @Test func whatIsNotOnePlanIsNotMerged() throws {
        let one = try part(Shard(index: 1, count: 2))
        let elsewhere = try TemporaryFolder().store()
        var other = try part(Shard(index: 1, count: 2), machine: "there", in: elsewhere)
        other.cells[0].results[0].seconds = 9
        let twice = #expect(throws: StoreError.self) { try union([one, other]) }
        #expect("\(twice as Any)".contains("one/legacy was run by both shard-1-6.18.0-bench"))
        #expect(
            throws: StoreError.cannotMerge(
                "shard-2-6.18.0-bench-8-2 has another plan than shard-1-6.18.0-bench-7-2: its seed is 8, not 7")
        ) {
            try union([one, part(Shard(index: 2, count: 2), seed: 8)])
        }
        let stranger = try elsewhere.record(.some("x"), [.some("a", "b")])
        #expect(
            throws: StoreError.cannotMerge(
                "x has another plan than shard-1-6.18.0-bench-7-2: it has correctness/legacy")
        ) { try union([one, stranger]) }
    }

    @Test func machinesStandSideBySide() throws {
        let parts = try ["6.18.0", "7.3.4"].map { kernel in
            try union(
                (1...2).map {
                    try part(
                        Shard(index: $0, count: 2), kernel: kernel, machine: "m\(kernel)",
                        started: Date(timeIntervalSince1970: kernel == "7.3.4" ? 1.791e9 : 1.79e9))
                })
        }
        let merged = try union(parts, .kernel)
        #expect(merged.columns.prefix(2) == ["6.18.0/legacy", "6.18.0/uring-single"])
        #expect(merged.columns.count == 6 && merged.cells.count == 12)
        #expect(merged.standing == .passed)
        #expect(merged.machines.map(\.machine.kernel) == ["6.18.0", "7.3.4"])
        #expect(merged.cells[0].results[0].evidence == ["cells/one.6.18.0.legacy/proof"])
        #expect(merged.cells[0].record.log == "cells/one.6.18.0.legacy/log")
        #expect(try union(parts, .machine).columns[0] == "m6.18.0/legacy")
        // Of three the third is put beside the two.
        let third = try union((1...2).map { try part(Shard(index: $0, count: 2), kernel: "6.12.1", machine: "m") })
        #expect(try union([merged, third], .kernel).columns.count == 9)
        // In one column there may be only one, and each keeps its kernel for the histories.
        #expect(throws: StoreError.self) { try union(parts) }
    }

    @Test func aClockThatIsYearsOffMovesNothing() throws {
        let parts = try (1...3).map {
            try part(Shard(index: $0, count: 3), started: $0 == 2 ? Date(timeIntervalSince1970: 3600) : nil)
        }
        #expect(try union(parts).run.started == parts[0].run.started)
        #expect(try union(parts).run.finished == parts[0].run.finished)
    }

    /// A folder as a shard leaves it.
    private func shardFolder(_ index: Int, of count: Int = 3) throws -> String {
        let path = "\(folder.path)/part-\(index)"
        let own = try MatrixSession.store(in: path)
        let report = try part(Shard(index: index, count: count), in: own)
        for cell in report.cells where cell.record.wasRun {
            try folder.write("part-\(index)/\(report.run.folder)/\(cell.record.log)", "words of \(index)")
        }
        return path
    }

    @Test func foldersOfDeadMachinesAreNamedAndTheRestIsMerged() throws {
        let paths = try (1...3).map { try shardFolder($0) }
        // Cut off in the middle, as a copy that was not finished.
        let path = MatrixSession.storePath(in: paths[1])
        let data = try #require(FileManager.default.contents(atPath: path))
        try data.prefix(data.count / 3).write(to: URL(fileURLWithPath: path))
        try? FileManager.default.removeItem(atPath: path + "-wal")
        let output = folder.path + "/merged"
        let (report, unreadable) = try ShardMerge(
            folders: paths + [folder.path + "/never-begun"], output: output
        ).merge()
        #expect(unreadable.map(\.folder) == [paths[1], folder.path + "/never-begun"])
        guard case .damaged(path, _) = unreadable[0].why else {
            Issue.record("\(unreadable[0].why)")
            return
        }
        #expect(report.missingShards == ["shard 2/3"])
        let log = "\(output)/\(report.run.folder)/\(report.cells[0].record.log)"
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "words of 1")
        #expect(throws: StoreError.self) { try ShardMerge(folders: [paths[1]], output: output).merge() }
    }

    /// As older versions left it: without the columns that came later.
    @Test(arguments: 1...4) func whoReadsAPartLeavesItAsItIs(version: Int) throws {
        let path = try shardFolder(1, of: 1)
        let later = [
            (2, "ALTER TABLE cell DROP COLUMN kernel; ALTER TABLE cell DROP COLUMN machine;"),
            (3, "ALTER TABLE result DROP COLUMN measurement;"), (4, "ALTER TABLE run DROP COLUMN parts;"),
        ]
        #expect(Store.migrator.migrations.count == 4, "a version that is not tried here")
        try Store(path: MatrixSession.storePath(in: path)).database.write { database in
            for (_, change) in later.filter({ $0.0 > version }) { try database.execute(sql: change) }
            try database.execute(sql: "DELETE FROM grdb_migrations WHERE rowid > \(version)")
        }
        let before = FileManager.default.contents(atPath: MatrixSession.storePath(in: path))
        let (report, unreadable) = try ShardMerge(folders: [path], output: folder.path + "/merged").merge()
        #expect(unreadable.isEmpty && report.standing == .passed)
        #expect(FileManager.default.contents(atPath: MatrixSession.storePath(in: path)) == before)
    }

    /// A machine that lost its power: the log has a transaction that was not finished.
    @Test func halfATransactionIsNone() throws {
        let path = "\(folder.path)/part"
        let own = try MatrixSession.store(in: path)
        let report = try part(Shard(index: 1, count: 1), in: own)
        let log = MatrixSession.storePath(in: path) + "-wal"
        let data = try #require(FileManager.default.contents(atPath: log))
        #expect(data.count > 8000)
        let copy = "\(folder.path)/copy"
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: MatrixSession.storePath(in: path), toPath: MatrixSession.storePath(in: copy))
        try data.dropLast(1000).write(to: URL(fileURLWithPath: MatrixSession.storePath(in: copy) + "-wal"))
        let (merged, _) = try ShardMerge(folders: [copy], output: folder.path + "/merged").merge()
        // The last that was written is the end of the run; all results were there before.
        #expect(merged.counts == report.counts)
    }
}
