public import BenchCore
import Foundation
import GRDB

extension Store {
    /// The run that a person means: an id or a beginning of one, `last`, `last~1` (the one before), `baseline`.
    ///
    /// - Throws: ``StoreError``.
    public func run(named name: String) throws -> RunRecord {
        if name == "baseline" {
            guard let run = try baseline() else { throw StoreError.noBaseline }
            return run
        }
        if name == "last" || name.hasPrefix("last~") {
            let back = name == "last" ? 0 : Int(name.dropFirst("last~".count)) ?? -1
            guard back >= 0, let run = try runs(limit: 1, offset: back).first else { throw StoreError.noSuchRun(name) }
            return run
        }
        let found = try database.read { database in
            try RunRecord.fetch(
                database, "WHERE substr(id, 1, length(?1)) = ?1 ORDER BY started DESC LIMIT 10", arguments: [name])
        }
        if let exact = found.first(where: { $0.id == name }) { return exact }
        guard let run = found.first else { throw StoreError.noSuchRun(name) }
        if found.count > 1 { throw StoreError.ambiguousRun(name, found.map(\.id)) }
        return run
    }

    /// Runs, the latest first.
    public func runs(limit: Int = 20, offset: Int = 0) throws -> [RunRecord] {
        try database.read { database in
            try RunRecord.fetch(
                database, "ORDER BY started DESC, number DESC LIMIT ? OFFSET ?", arguments: [limit, offset])
        }
    }

    /// The run that was marked last.
    public func baseline() throws -> RunRecord? {
        try database.read { database in
            try RunRecord.fetch(
                database, "WHERE baseline IS NOT NULL ORDER BY baseline DESC, number DESC LIMIT 1", arguments: []
            ).first
        }
    }

    /// Finished runs before this one, the latest first.
    public func runs(before run: RunRecord, limit: Int) throws -> [RunRecord] {
        try database.read { database in
            try RunRecord.fetch(
                database,
                """
                WHERE state = 'finished' AND (started < ?1 OR started = ?1 AND number < ?2)
                ORDER BY started DESC, number DESC LIMIT ?3
                """, arguments: [run.started.timeIntervalSince1970, run.number, limit])
        }
    }

    /// A run's cells, in the plan's order.
    public func cells(of run: RunRecord) throws -> [CellRecord] {
        try database.read { database in try Store.cells(of: run, database) }
    }

    static func cells(of run: RunRecord, _ database: Database) throws -> [CellRecord] {
        try Row.fetchAll(database, sql: "SELECT * FROM cell WHERE run = ? ORDER BY position", arguments: [run.number])
            .map(CellRecord.init)
    }

    /// The run that was recorded last, whatever the clocks of those who recorded say.
    func runRecordedLast() throws -> RunRecord {
        let run = try database.read { try RunRecord.fetch($0, "ORDER BY number DESC LIMIT 1", arguments: []).first }
        guard let run else { throw StoreError.noSuchRun("last") }
        return run
    }

    /// A run's results by cell, in the order in which they came.
    public func results(of run: RunRecord) throws -> [Int64: [TestResult]] {
        try database.read { database in
            var results: [Int64: [TestResult]] = [:]
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT cell.id, test.suite, track.target, test.area, test.name, result.verdict, result.seconds,
                           result.message, result.evidence, result.checks, result.measurement
                    FROM cell JOIN result ON result.cell = cell.id JOIN track ON track.id = result.track
                    JOIN test ON test.id = track.test
                    WHERE cell.run = ? ORDER BY cell.id, result.position
                    """, arguments: [run.number])
            while let row = try rows.next() {
                let evidence: String = row[8]
                let checks: String? = row[9]
                let measurement: String? = row[10]
                results[row[0], default: []].append(
                    TestResult(
                        suite: row[1], target: row[2], area: row[3], name: row[4],
                        verdict: Verdict(code: row[5]) ?? .failed, seconds: row[6], message: row[7],
                        evidence: evidence.isEmpty ? [] : try JSONColumn.value([String].self, evidence),
                        checks: try checks.map { try JSONColumn.value([TestResult.Check].self, $0) },
                        measurement: try measurement.map { try JSONColumn.value(Measurement.self, $0) }))
            }
            return results
        }
    }
}

extension RunRecord {
    static func fetch(_ database: Database, _ condition: String, arguments: StatementArguments) throws -> [RunRecord] {
        try Row.fetchAll(database, sql: "SELECT * FROM run " + condition, arguments: arguments).map(RunRecord.init)
    }

    init(row: Row) throws {
        self.init(
            id: row["id"], state: State(rawValue: row["state"]) ?? .interrupted,
            started: Date(timeIntervalSince1970: row["started"]),
            finished: (row["finished"] as Double?).map(Date.init(timeIntervalSince1970:)), tool: row["tool"],
            kernel: row["kernel"], machine: try JSONColumn.value(Machine.self, row["machine"]),
            environment: try JSONColumn.value([String: String].self, row["environment"]),
            commandLine: try JSONColumn.value([String].self, row["command"]), configuration: row["configuration"],
            seed: UInt64(bitPattern: row["seed"] as Int64), shard: row["shard"],
            parts: try (row["parts"] as String?).map { try JSONColumn.value([String].self, $0) } ?? [],
            folder: row["folder"],
            baseline: (row["baseline"] as Double?).map(Date.init(timeIntervalSince1970:)))
        number = row["number"]
    }
}

extension CellRecord {
    init(row: Row) throws {
        self.init(
            cell: Cell(
                suite: row["suite"], kernel: row["kernel"], target: row["target"], depth: row["depth"],
                cycle: row["cycle"]),
            position: row["position"], state: State(rawValue: row["state"]) ?? .broken, reason: row["reason"],
            seed: UInt64(bitPattern: row["seed"] as Int64),
            // A fleet has more cells that are elsewhere than JSON can be read in passing.
            command: row["command"] == "[]" ? [] : try JSONColumn.value([String].self, row["command"]),
            started: (row["started"] as Double?).map(Date.init(timeIntervalSince1970:)), seconds: row["seconds"],
            attempts: row["attempts"], log: row["log"],
            machine: try (row["machine"] as String?).map { try JSONColumn.value(SuiteMachine.self, $0) })
        id = row["id"]
    }
}

extension Store {
    /// How long each group took in the last runs, in seconds, by `suite/target` with the depth.
    func expectedSeconds() throws -> [String: Double] {
        try database.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT suite, kernel, target, depth, cycle, AVG(seconds) FROM cell
                    WHERE state = 'finished' AND run IN (SELECT number FROM run ORDER BY started DESC LIMIT 10)
                    GROUP BY suite, kernel, target, depth
                    """)
            return Dictionary(
                rows.map { row in
                    let cell = Cell(suite: row[0], kernel: row[1], target: row[2], depth: row[3], cycle: row[4])
                    return ("\(cell.suite)/\(cell.column)", row[5])
                }, uniquingKeysWith: { first, _ in first })
        }
    }
}
