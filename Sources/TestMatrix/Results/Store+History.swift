import BenchCore
import Foundation
import GRDB

extension Store {
    /// The kernel that a cell ran on: its guest's, or the machine's.
    fileprivate static let kernel = "COALESCE(json_extract(cell.machine, '$.kernel'), run.kernel)"

    /// Tests whose `suite/area/name` contains the text, case aside; an exact path or name wins over the others.
    public func tests(matching text: String) throws -> [TestName] {
        let all = try database.read { database in
            try Row.fetchAll(database, sql: "SELECT suite, area, name FROM test ORDER BY suite, area, name").map {
                TestName(suite: $0[0], area: $0[1], name: $0[2])
            }
        }
        let exact = all.filter { $0.path == text || $0.name == text }
        if !exact.isEmpty { return exact }
        return all.filter { $0.path.range(of: text, options: .caseInsensitive) != nil }
    }

    /// Every test that has ever failed, by target; those that fail now first, then the ones that fail most.
    ///
    /// - Parameter target: only this one.
    public func everFailed(target: String? = nil) throws -> [TestHistory] {
        let tracks = "SELECT track FROM result WHERE verdict >= 2"
        return try histories(of: tracks, arguments: [], target: target).sorted { one, other in
            if (one.failsSince == nil) != (other.failsSince == nil) { return one.failsSince != nil }
            return one.failures.share > other.failures.share
        }
    }

    /// One test on each target.
    public func history(of test: TestName, target: String? = nil) throws -> [TestHistory] {
        try histories(
            of: """
                SELECT track.id FROM track JOIN test ON test.id = track.test
                WHERE test.suite = ? AND test.area = ? AND test.name = ?
                """, arguments: [test.suite, test.area, test.name], target: target)
    }

    /// Time is the order in which cells were recorded, so that counting needs no join.
    private func histories(
        of tracks: String, arguments: StatementArguments, target: String?
    ) throws -> [TestHistory] {
        try database.read { database in
            let counts = try Row.fetchAll(
                database,
                sql: """
                    SELECT track, SUM(verdict >= 2), SUM(verdict <> 1), SUM(verdict = 1),
                           MAX(CASE WHEN verdict = 0 THEN cell END), MAX(CASE WHEN verdict >= 2 THEN cell END)
                    FROM result INDEXED BY result_by_track WHERE track IN (\(tracks)) GROUP BY track
                    """, arguments: arguments)
            let names = try Dictionary(
                uniqueKeysWithValues: Row.fetchAll(
                    database,
                    sql: """
                        SELECT track.id, test.suite, test.area, test.name, track.target
                        FROM track JOIN test ON test.id = track.test
                        """
                ).map { ($0[0] as Int64, $0) })
            let since = try database.cachedStatement(
                sql: "SELECT MIN(cell) FROM result WHERE track = ? AND verdict >= 2 AND cell > ?")
            var moments = Moments(database)
            return try counts.compactMap { row in
                guard let name = names[row[0]], target == nil || target == name[4] else { return nil }
                let lastPass: Int64? = row[4]
                let lastFailure: Int64? = row[5]
                var first: Int64?
                if let lastFailure, lastFailure > lastPass ?? -1 {
                    first = try Int64.fetchOne(since, arguments: [row[0] as Int64, lastPass ?? -1])
                }
                return TestHistory(
                    suite: name[1], area: name[2], name: name[3], target: name[4],
                    failures: Proportion(row[1], of: row[2]),
                    skips: row[3], lastPass: try moments.moment(ofCell: lastPass),
                    lastFailure: try moments.moment(ofCell: lastFailure), failsSince: try moments.moment(ofCell: first))
            }
        }
    }

    /// One test's record under each kernel, on each target.
    public func kernels(of test: TestName, target: String? = nil) throws -> [KernelHistory] {
        try database.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT \(Store.kernel), cell.target, SUM(result.verdict >= 2), SUM(result.verdict <> 1),
                           MIN(run.started), MAX(run.started)
                    FROM test JOIN track ON track.test = test.id JOIN result ON result.track = track.id
                    JOIN cell ON cell.id = result.cell JOIN run ON run.number = cell.run
                    WHERE test.suite = ? AND test.area = ? AND test.name = ? AND (?4 IS NULL OR track.target = ?4)
                    GROUP BY 1, 2 ORDER BY MAX(run.started) DESC, cell.target
                    """, arguments: [test.suite, test.area, test.name, target]
            ).map { row in
                KernelHistory(
                    kernel: row[0], target: row[1], failures: Proportion(row[2], of: row[3]),
                    first: Date(timeIntervalSince1970: row[4]), last: Date(timeIntervalSince1970: row[5]))
            }
        }
    }

    /// The last times that a test was run, the latest first.
    public func occurrences(of test: TestName, target: String? = nil, limit: Int = 40) throws -> [TestOccurrence] {
        try database.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT run.id, run.started, \(Store.kernel), track.target, result.verdict, result.seconds, result.message
                    FROM test JOIN track ON track.test = test.id JOIN result ON result.track = track.id
                    JOIN cell ON cell.id = result.cell JOIN run ON run.number = cell.run
                    WHERE test.suite = ?1 AND test.area = ?2 AND test.name = ?3 AND (?4 IS NULL OR track.target = ?4)
                    ORDER BY run.started DESC, cell.id DESC, result.repetition DESC LIMIT ?5
                    """, arguments: [test.suite, test.area, test.name, target, limit]
            ).map { row in
                TestOccurrence(
                    run: row[0], date: Date(timeIntervalSince1970: row[1]), kernel: row[2], target: row[3],
                    verdict: Verdict(code: row[4]) ?? .failed, seconds: row[5], message: row[6])
            }
        }
    }
}

/// Looks up the runs of cells, each once.
private struct Moments {
    private let statement: Statement?
    private var known: [Int64: TestHistory.Moment] = [:]

    init(_ database: Database) {
        statement = try? database.cachedStatement(
            sql: """
                SELECT run.id, run.started, \(Store.kernel) FROM cell JOIN run ON run.number = cell.run
                WHERE cell.id = ?
                """)
    }

    mutating func moment(ofCell cell: Int64?) throws -> TestHistory.Moment? {
        guard let cell, let statement else { return nil }
        if let moment = known[cell] { return moment }
        guard let row = try Row.fetchOne(statement, arguments: [cell]) else { return nil }
        let moment = TestHistory.Moment(run: row[0], date: Date(timeIntervalSince1970: row[1]), kernel: row[2])
        known[cell] = moment
        return moment
    }
}
