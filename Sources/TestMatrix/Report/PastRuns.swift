import BenchCore
import Foundation
import GRDB

/// What a page shows of the runs before its own: the course of each group, and the record of each test that has ever failed.
struct PastRuns {
    /// One run's part in a group.
    struct Point {
        var run: String
        var date: Date
        var kernel: String
        var seconds: Double
        var counts: Counts
    }

    /// By group (`suite/target` with the depth), the oldest first; the page's own run is the last.
    var groups: [String: [Point]] = [:]
    /// By `suite/target/area/name`.
    var everFailed: [String: TestHistory] = [:]
    /// The worst verdict in each of the last runs, the oldest first; nil where it was not run. By the same key.
    var strips: [String: [Verdict?]] = [:]

    static let limit = 40

    init() {}

    init(before report: RunReport, store: Store) throws {
        let runs = try store.runs(before: report.run, limit: PastRuns.limit - 1).reversed() + [report.run]
        for history in try store.everFailed() {
            everFailed[PastRuns.key(history.suite, history.target, history.area, history.name)] = history
        }
        let place = Dictionary(runs.enumerated().map { ($1.number, $0) }, uniquingKeysWith: { $1 })
        let list = runs.map { "\($0.number)" }.joined(separator: ",")
        try store.database.read { database in
            try readSquares(database, runs, place, list)
            try readStrips(database, runs.count, place, list)
        }
    }

    static func key(_ suite: String, _ target: String, _ area: String, _ name: String) -> String {
        "\(suite)/\(target)/\(area)/\(name)"
    }

    private mutating func readSquares(
        _ database: Database, _ runs: [RunRecord], _ place: [Int64: Int], _ list: String
    ) throws {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT cell.run, cell.suite, cell.kernel, cell.target, cell.depth, cell.id, cell.seconds,
                       SUM(verdict = 0), SUM(verdict = 1), SUM(verdict = 2), SUM(verdict = 3), SUM(verdict = 4)
                FROM cell LEFT JOIN result ON result.cell = cell.id
                WHERE cell.run IN (\(list)) AND cell.state IN ('finished', 'broken')
                GROUP BY cell.id ORDER BY cell.id
                """)
        for row in rows {
            guard let index = place[row[0]] else { continue }
            let run = runs[index]
            let group = Cell(suite: row[1], kernel: row[2], target: row[3], depth: row[4], cycle: 1).key
            var counts = Counts()
            for (offset, verdict) in [Verdict.passed, .skipped, .failed, .hung, .crashed].enumerated() {
                counts[verdict] = row[7 + offset] ?? 0
            }
            if let last = groups[group]?.indices.last, groups[group]?[last].run == run.id {
                groups[group]?[last].seconds += row[6] as Double
                groups[group]?[last].counts += counts
            } else {
                groups[group, default: []].append(
                    Point(run: run.id, date: run.started, kernel: run.kernel, seconds: row[6], counts: counts))
            }
        }
        for key in groups.keys { groups[key]?.sort { $0.date < $1.date } }
    }

    private mutating func readStrips(_ database: Database, _ count: Int, _ place: [Int64: Int], _ list: String) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT test.suite, track.target, test.area, test.name, cell.run,
                       MAX(CASE result.verdict WHEN 1 THEN -1 ELSE result.verdict END)
                FROM cell JOIN result ON result.cell = cell.id JOIN track ON track.id = result.track
                JOIN test ON test.id = track.test
                WHERE cell.run IN (\(list)) AND result.track IN (SELECT track FROM result WHERE verdict >= 2)
                GROUP BY result.track, cell.run
                """)
        while let row = try rows.next() {
            guard let index = place[row[4]] else { continue }
            let key = PastRuns.key(row[0], row[1], row[2], row[3])
            let code: Int = row[5]
            strips[key, default: Array(repeating: nil, count: count)][index] = code < 0 ? .skipped : Verdict(code: code)
        }
    }
}
