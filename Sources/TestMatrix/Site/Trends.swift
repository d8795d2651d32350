import BenchCore
import Foundation
import GRDB

/// What a store says over its weeks: how groups and tests did, on which kernels, and how fast.
struct Trends {
    /// The weeks that are shown, as ``week(of:)`` numbers them; none is left out in between.
    let weeks: ClosedRange<Int>
    /// The latest first.
    private(set) var runs: [Run] = []
    private(set) var groups: [Group] = []
    private(set) var tests: [Test] = []
    private(set) var measurements: [Measured] = []

    struct Run {
        var record: RunRecord
        var counts = Counts()
        var seconds = 0.0
    }

    /// A suite on a column of the matrix.
    struct Group {
        var name: String
        var weeks: [Int: Counts] = [:]
        /// How long its cells took, by week.
        var seconds: [Int: [Double]] = [:]
    }

    /// A test on a target that has failed at least once.
    struct Test {
        var suite, target, path: String
        /// How often it failed of the times it was executed.
        var weeks: [Int: Proportion] = [:]
        var kernels: [String: Proportion] = [:]
        /// The first run in which it failed on a kernel.
        var firstFailures: [String: Moment] = [:]
        var last: Verdict = .skipped
        /// How often it passed after it had failed, or failed after it had passed.
        var changes = 0

        var failures: Proportion {
            kernels.values.reduce(into: Proportion(0, of: 0)) {
                $0.count += $1.count
                $0.total += $1.total
            }
        }
    }

    struct Moment {
        var run: String
        var date: Date
    }

    struct Measured {
        var name, unit: String
        var isSpeed: Bool
        var medians: [Int: [Double]] = [:]
    }

    /// As many weeks as fit beside a test's name.
    static let limit = 52

    init(_ store: Store) throws {
        let records = try store.runs(limit: .max).filter { $0.shard == nil }
        let last = records.first.map { Trends.week(of: $0.started) } ?? 0
        let first = records.last.map { Trends.week(of: $0.started) } ?? last
        weeks = max(first, last - Trends.limit + 1)...last
        runs = records.map { Run(record: $0) }
        try store.database.read { database in
            let cells = try readCells(database)
            try readTests(database, cells)
            try readMeasurements(database, cells)
        }
    }

    /// From Monday to Sunday, in UTC.
    static func week(of date: Date) -> Int { Int(((date.timeIntervalSince1970 / 86400 + 3) / 7).rounded(.down)) }

    static func monday(of week: Int) -> Date { Date(timeIntervalSince1970: Double(week * 7 - 3) * 86400) }

    /// What is known of a cell without its results.
    private struct Place {
        var run: Int
        var week: Int
        var kernel: String
    }

    private mutating func readCells(_ database: Database) throws -> [Int64: Place] {
        let positions = Dictionary(runs.enumerated().map { ($1.record.number, $0) }, uniquingKeysWith: { $1 })
        var places: [Int64: Place] = [:]
        var groups: [String: Group] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT cell.id, cell.run, cell.suite, cell.kernel, cell.target, cell.depth, cell.seconds,
                       json_extract(cell.machine, '$.kernel'),
                       SUM(verdict = 0), SUM(verdict = 1), SUM(verdict = 2), SUM(verdict = 3), SUM(verdict = 4)
                FROM cell LEFT JOIN result ON result.cell = cell.id GROUP BY cell.id
                """)
        while let row = try rows.next() {
            guard let position = positions[row[1]] else { continue }
            var counts = Counts()
            for (offset, verdict) in [Verdict.passed, .skipped, .failed, .hung, .crashed].enumerated() {
                counts[verdict] = row[8 + offset] ?? 0
            }
            let record = runs[position].record
            let week = Trends.week(of: record.started)
            places[row[0]] = Place(run: position, week: week, kernel: row[7] ?? record.kernel)
            runs[position].counts += counts
            runs[position].seconds += row[6] as Double
            guard weeks.contains(week), counts.total > 0 else { continue }
            let name = Cell(suite: row[2], kernel: row[3], target: row[4], depth: row[5]).key
            groups[name, default: Group(name: name)].weeks[week, default: Counts()] += counts
            groups[name]?.seconds[week, default: []].append(row[6])
        }
        self.groups = groups.values.sorted { $0.name < $1.name }
        return places
    }

    private mutating func readTests(_ database: Database, _ places: [Int64: Place]) throws {
        var tests: [Int64: Test] = [:]
        let names = try Row.fetchCursor(
            database,
            sql: """
                SELECT track.id, test.suite, track.target, test.area, test.name FROM track JOIN test ON test.id = track.test
                WHERE track.id IN (SELECT track FROM result WHERE verdict >= 2)
                """)
        while let row = try names.next() {
            tests[row[0]] = Test(suite: row[1], target: row[2], path: TestResult.path(area: row[3], name: row[4]))
        }
        // In the order of the index, which is that of time: cells are recorded one after another.
        let results = try Row.fetchCursor(
            database,
            sql: """
                SELECT track, cell, verdict FROM result INDEXED BY result_by_track
                WHERE verdict <> 1 AND track IN (SELECT track FROM result WHERE verdict >= 2) ORDER BY track, cell
                """)
        var current: Int64?
        var test = Test(suite: "", target: "", path: "")
        while let row = try results.next() {
            let track: Int64 = row[0]
            if track != current {
                if let current { tests[current] = test }
                current = track
                test = tests[track] ?? test
            }
            guard let place = places[row[1]], let verdict = Verdict(code: row[2]) else { continue }
            note(verdict, place, in: &test)
        }
        if let current { tests[current] = test }
        self.tests = tests.values.filter { $0.failures.count > 0 }
    }

    private func note(_ verdict: Verdict, _ place: Place, in test: inout Test) {
        let failed = verdict.isFailure ? 1 : 0
        if test.last != .skipped && test.last.isFailure != verdict.isFailure { test.changes += 1 }
        test.last = verdict
        test.kernels[place.kernel, default: Proportion(0, of: 0)].add(failed)
        if weeks.contains(place.week) { test.weeks[place.week, default: Proportion(0, of: 0)].add(failed) }
        if verdict.isFailure && test.firstFailures[place.kernel] == nil {
            let record = runs[place.run].record
            test.firstFailures[place.kernel] = Moment(run: record.id, date: record.started)
        }
    }

    private mutating func readMeasurements(_ database: Database, _ places: [Int64: Place]) throws {
        var measured: [String: Measured] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT result.cell, track.target, test.suite, test.area, test.name, result.measurement
                FROM result JOIN track ON track.id = result.track JOIN test ON test.id = track.test
                WHERE result.measurement IS NOT NULL
                """)
        while let row = try rows.next() {
            guard let place = places[row[0]], weeks.contains(place.week) else { continue }
            let measurement = try JSONColumn.value(BenchCore.Measurement.self, row[5])
            if measurement.values.isEmpty || measurement.isDisturbed { continue }
            let name = "\(row[2] as String)/\(row[1] as String) \(TestResult.path(area: row[3], name: row[4]))"
            // Only what was measured in the same way can be compared.
            measured[
                name + measurement.settings,
                default: Measured(name: name, unit: measurement.unit, isSpeed: measurement.isSpeed)
            ].medians[place.week, default: []].append(measurement.median)
        }
        measurements = measured.values.sorted { $0.name < $1.name }
    }
}

extension Proportion {
    /// One more, which counts or does not.
    fileprivate mutating func add(_ number: Int) {
        count += number
        total += 1
    }
}
