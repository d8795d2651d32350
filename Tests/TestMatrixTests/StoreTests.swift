import BenchCore
import Foundation
import GRDB
import Testing

@testable import TestMatrix

@Suite struct StoreTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
    }

    @Test func whatIsRecordedIsReadBack() throws {
        let run = RunRecord.some("20260101-000000-0001")
        let check = TestResult.Check(name: "D", verdict: .failed, message: "WARN in the log")
        var result = TestResult.some("rename", "x", .failed, message: "why", evidence: ["cells/a/log", "b"])
        result.checks = [check]
        let report = try store.record(run, [result, .some("rename", "y")])
        #expect(report.run.machine == .some)
        #expect(report.run.environment == ["CI": "true"])
        #expect(report.run.seed == 7)
        #expect(report.run.state == .finished)
        #expect(report.cells.map(\.results) == [[result, .some("rename", "y")]])
    }

    /// A power cut takes nothing that was recorded.
    @Test func eachWriteWaitsForTheDisk() throws {
        let (journal, synchronous) = try store.database.read { database in
            (
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA synchronous")
            )
        }
        #expect(journal == "wal" && synchronous == 2)
    }

    @Test func largeSeedsSurvive() throws {
        let report = try store.record(.some("a", seed: .max), [.some("x", "y")])
        #expect(report.run.seed == .max)
    }

    @Test func runsAreFoundByName() throws {
        for (day, id) in ["20260101-a", "20260102-a", "20260102-b"].enumerated() {
            try store.record(.some(id, day: day), [.some("x", "y")])
        }
        #expect(try store.run(named: "last").id == "20260102-b")
        #expect(try store.run(named: "last~2").id == "20260101-a")
        #expect(try store.run(named: "20260101").id == "20260101-a")
        #expect(throws: StoreError.ambiguousRun("20260102", ["20260102-b", "20260102-a"])) {
            try store.run(named: "20260102")
        }
        #expect(throws: StoreError.noSuchRun("last~3")) { try store.run(named: "last~3") }
        #expect(throws: StoreError.noSuchRun("x")) { try store.run(named: "x") }
        #expect(throws: StoreError.noBaseline) { try store.run(named: "baseline") }
        try store.markAsBaseline(try store.run(named: "last~1"), at: Date())
        #expect(try store.run(named: "baseline").id == "20260102-a")
    }

    @Test func aTestMayComeSeveralTimesInACell() throws {
        let report = try store.record(.some("a"), [.some("x", "y"), .some("x", "y", .failed), .some("x", "y")])
        #expect(report.cells[0].results.map(\.verdict) == [.passed, .failed, .passed])
    }

    @Test func resetForgetsAnAttempt() throws {
        let (_, cells) = try store.begin(
            .some("a"), cells: [CellRecord(cell: Cell(suite: "s", target: "t"), position: 0, seed: 1)])
        try store.append([.some("x", "y")], to: cells[0], position: 0)
        let fresh = try store.reset(cells[0])
        #expect(fresh.state == .planned)
        #expect(try store.results(of: try store.run(named: "a")).isEmpty)
    }

    @Test func aStoreOfALaterVersionIsNotTouched() throws {
        let path = store.path
        try store.database.write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('something later')")
        }
        #expect(throws: StoreError.newerSchema(path)) { try Store(path: path) }
    }

    @Test func aMissingStoreIsNotMadeByReaders() throws {
        let path = folder.path + "/none.sqlite"
        #expect(throws: StoreError.noStore(path)) { try Store(path: path, mustExist: true) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aFileThatIsNoStoreIsNamed() throws {
        let path = folder.path + "/damaged.sqlite"
        try String(repeating: "no database ", count: 1000).write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: StoreError.damaged(path, "file is not a database")) { try Store(path: path) }
        let lacking = store.path
        try store.database.write { try $0.execute(sql: "DROP TABLE result; DROP TABLE cell; DROP TABLE run") }
        #expect(throws: StoreError.damaged(lacking, "no such table: run")) { try store.runs() }
        try FileManager.default.createDirectory(atPath: path + "2", withIntermediateDirectories: true)
        #expect(throws: StoreError.notWritable(path + "2", "unable to open database file")) {
            try Store(path: path + "2")
        }
    }

    @Test func severalBenchesWriteAtOnce() throws {
        let path = folder.path + "/shared.sqlite"
        DispatchQueue.concurrentPerform(iterations: 4) { index in
            do {
                let store = try Store(path: path)
                for turn in 0..<5 {
                    try store.record(.some("\(index)-\(turn)"), (0..<20).map { .some("area", "test \($0)") })
                }
            } catch {
                Issue.record(error)
            }
        }
        let store = try Store(path: path)
        #expect(try store.runs(limit: 100).count == 20)
        #expect(try store.tests(matching: "test").count == 20)
        #expect(try store.integrityCheck() == "ok")
    }
}
