public import BenchCore
public import Foundation
import GRDB

extension Store {
    /// Records a run and its whole plan, in one transaction.
    ///
    /// - Returns: both with the store's numbers.
    public func begin(_ run: RunRecord, cells: [CellRecord]) throws -> (RunRecord, [CellRecord]) {
        try database.write { database in try Store.insert(run, cells, into: database) }
    }

    static func insert(
        _ run: RunRecord, _ cells: [CellRecord], into database: Database
    ) throws -> (RunRecord, [CellRecord]) {
        var run = run
        try database.execute(
            sql: """
                INSERT INTO run (id, state, started, finished, tool, kernel, machine, environment, command, configuration,
                                 seed, shard, parts, folder, baseline)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                run.id, run.state.rawValue, run.started.timeIntervalSince1970, run.finished?.timeIntervalSince1970,
                run.tool,
                run.kernel, try JSONColumn.text(run.machine), try JSONColumn.text(run.environment),
                try JSONColumn.text(run.commandLine), run.configuration, Int64(bitPattern: run.seed), run.shard,
                run.parts.isEmpty ? nil : try JSONColumn.text(run.parts), run.folder,
                run.baseline?.timeIntervalSince1970,
            ])
        run.number = database.lastInsertedRowID
        return (run, try insert(cells, of: run, into: database))
    }

    private static func insert(
        _ cells: [CellRecord], of run: RunRecord, into database: Database
    ) throws -> [CellRecord] {
        try cells.map { cell in
            var cell = cell
            try database.execute(
                sql: """
                    INSERT INTO cell (run, position, suite, kernel, target, depth, cycle, state, reason, seed, command,
                                      started, seconds, attempts, log, machine)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run.number, cell.position, cell.cell.suite, cell.cell.kernel, cell.cell.target, cell.cell.depth,
                    cell.cell.cycle, cell.state.rawValue, cell.reason, Int64(bitPattern: cell.seed),
                    try JSONColumn.text(cell.command),
                    cell.started?.timeIntervalSince1970, cell.seconds, cell.attempts, cell.log,
                    try cell.machine.map(JSONColumn.text),
                ])
            cell.id = database.lastInsertedRowID
            return cell
        }
    }

    /// Writes down where a cell stands.
    public func update(_ cell: CellRecord) throws {
        try database.write { database in
            try database.execute(
                sql: """
                    UPDATE cell SET state = ?, reason = ?, command = ?, started = ?, seconds = ?, attempts = ?, log = ?,
                                    machine = ?
                    WHERE id = ?
                    """,
                arguments: [
                    cell.state.rawValue, cell.reason, try JSONColumn.text(cell.command),
                    cell.started?.timeIntervalSince1970, cell.seconds, cell.attempts, cell.log,
                    try cell.machine.map(JSONColumn.text), cell.id,
                ])
        }
    }

    /// Records a cell's results as they come; `position` is the first one's place in the cell.
    public func append(_ results: [TestResult], to cell: CellRecord, position: Int) throws {
        guard !results.isEmpty else { return }
        try database.write { database in
            var tracks = TrackNumbers(database)
            try Store.insert(results, cell: cell.id, position: position, tracks: &tracks)
        }
    }

    static func insert(_ results: [TestResult], cell: Int64, position: Int, tracks: inout TrackNumbers) throws {
        // A suite may report a test several times, once for each cycle of its own.
        let insertion = try tracks.database.cachedStatement(
            sql: """
                INSERT INTO result (cell, track, repetition, position, verdict, seconds, message, evidence, checks,
                                    measurement)
                VALUES (?1, ?2, (SELECT COALESCE(MAX(repetition), 0) + 1 FROM result WHERE cell = ?1 AND track = ?2),
                        ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                """)
        for (offset, result) in results.enumerated() {
            let track = try tracks.number(of: result)
            try insertion.execute(arguments: [
                cell, track, position + offset, result.verdict.code, result.seconds, result.message,
                result.evidence.isEmpty ? "" : try JSONColumn.text(result.evidence),
                try result.checks.map(JSONColumn.text), try result.measurement.map(JSONColumn.text),
            ])
        }
    }

    /// Records cells of a run that has them only at its end, with their results, in one transaction.
    func record(_ cells: [CellRecord], of run: RunRecord, results: [[TestResult]]) throws {
        try database.write { database in
            var tracks = TrackNumbers(database)
            for (cell, results) in zip(try Store.insert(cells, of: run, into: database), results) {
                try Store.insert(results, cell: cell.id, position: 0, tracks: &tracks)
            }
        }
    }

    /// Forgets what an unfinished attempt at a cell has left, and marks it as planned again.
    public func reset(_ cell: CellRecord) throws -> CellRecord {
        var fresh = cell
        fresh.state = .planned
        fresh.reason = ""
        fresh.seconds = 0
        try database.write { database in
            try database.execute(sql: "DELETE FROM result WHERE cell = ?", arguments: [cell.id])
        }
        try update(fresh)
        return fresh
    }

    /// Writes down that a run has ended.
    public func end(_ run: RunRecord, state: RunRecord.State, at date: Date) throws -> RunRecord {
        var run = run
        run.state = state
        run.finished = state == .finished ? date : nil
        try database.write { database in
            try database.execute(
                sql: "UPDATE run SET state = ?, finished = ? WHERE number = ?",
                arguments: [state.rawValue, run.finished?.timeIntervalSince1970, run.number])
        }
        return run
    }

    /// Makes this run the one that others are compared with.
    public func markAsBaseline(_ run: RunRecord, at date: Date) throws {
        try database.write { database in
            try database.execute(
                sql: "UPDATE run SET baseline = ? WHERE number = ?",
                arguments: [date.timeIntervalSince1970, run.number])
        }
    }
}

/// The numbers of tests on targets in a store, made as they are needed.
struct TrackNumbers {
    private struct Test: Hashable { let suite, area, name: String }
    private struct Track: Hashable {
        let test: Int64
        let target: String
    }

    let database: Database
    private var tests: [Test: Int64] = [:]
    private var tracks: [Track: Int64] = [:]

    init(_ database: Database) {
        self.database = database
    }

    mutating func number(of result: TestResult) throws -> Int64 {
        let test = Test(suite: result.suite, area: result.area, name: result.name)
        let number =
            try tests[test]
            ?? add(
                "test (suite, area, name) VALUES (?, ?, ?)", "test WHERE suite = ? AND area = ? AND name = ?",
                [test.suite, test.area, test.name])
        tests[test] = number
        let track = Track(test: number, target: result.target)
        let known =
            try tracks[track]
            ?? add(
                "track (test, target) VALUES (?, ?)", "track WHERE test = ? AND target = ?", [number, track.target])
        tracks[track] = known
        return known
    }

    /// The number of a row, which is made if there is none.
    private func add(
        _ values: String, _ condition: String, _ arguments: StatementArguments
    ) throws -> Int64 {
        try database.cachedStatement(sql: "INSERT OR IGNORE INTO \(values)").execute(arguments: arguments)
        if database.changesCount > 0 { return database.lastInsertedRowID }
        let query = try database.cachedStatement(sql: "SELECT id FROM \(condition)")
        guard let number = try Int64.fetchOne(query, arguments: arguments) else {
            throw DatabaseError(message: "what was just inserted is not there")
        }
        return number
    }
}
