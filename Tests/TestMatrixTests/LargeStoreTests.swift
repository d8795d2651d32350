import BenchCore
import Foundation
import GRDB
import Testing

@testable import TestMatrix

/// 1,000 runs of 1,000 tests: what a project has after three years of nights.
@Suite struct LargeStoreTests {
    @Test func aMillionResultsAreNoBurden() throws {
        let folder = try TemporaryFolder()
        let store = try folder.store()
        try fill(store)
        let last = try store.run(named: "last")
        let report = try timed("reading a run") { try RunReport(last, from: store) }
        #expect(report.counts.total == 999)
        let everFailed = try timed("history") { try store.everFailed() }
        #expect(everFailed.count > 500)
        let name = try #require(try store.tests(matching: "test 7").first)
        let (history, kernels) = try timed("history of a test") {
            (try store.history(of: name), try store.kernels(of: name))
        }
        #expect(history.map(\.failures.total).reduce(0, +) > 900)
        #expect(!kernels.isEmpty)
        let comparison = try timed("compare") {
            let old = try RunReport(try store.run(named: "last~1"), from: store)
            return Comparison(from: old, to: try RunReport(last, from: store))
        }
        #expect(comparison.common == 999)
        let page = try timed("the page") {
            try ReportFiles(report, store: store, output: folder.path).text(.html)
        }
        #expect(page.utf8.count < 5 << 20)
        let site = try timed("the site", inDebug: 20) {
            try SiteReport(store).pages.reduce(0) { $0 + $1.text.utf8.count }
        }
        #expect(site < 5 << 20)
    }

    /// The bound is for a quiet machine and an optimised build; others get three times that, or more where rows are gone through here.
    private func timed<Result>(
        _ what: String, inDebug limit: Double = 6, _ body: () throws -> Result
    ) rethrows -> Result {
        let began = ContinuousClock.now
        let result = try body()
        let seconds = began.duration(to: .now).seconds
        print("a store of a million results: \(what) takes \(String(format: "%.2f", seconds)) s")
        #if DEBUG
            #expect(seconds < limit, "\(what)")
        #else
            #expect(seconds < 2, "\(what)")
        #endif
        return result
    }

    /// Filled by SQLite itself: going through the recorder would take a minute.
    private func fill(_ store: Store) throws {
        let template = RunRecord.some("template")
        let machine = try JSONColumn.text(template.machine)
        try store.database.write { database in
            try database.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
                    INSERT INTO run (number, id, state, started, finished, tool, kernel, machine, environment, command,
                                     configuration, seed, folder)
                    SELECT i, printf('run-%04d', i), 'finished', 1.7e9 + i * 86400, 1.7e9 + i * 86400 + 300, '0.1.0',
                           '6.' || (i / 100) || '.0', ?, '{}', '[]', '{}', i, 'runs/' || i
                    FROM n
                    """, arguments: [machine])
            try database.execute(
                sql: """
                    INSERT INTO cell (run, position, suite, target, cycle, state, seed, seconds)
                    SELECT number, p, 'correctness', t, 1, 'finished', 1, 30 + number % 7
                    FROM run, (SELECT 0 AS p, 'legacy' AS t UNION SELECT 1, 'uring-single' UNION SELECT 2, 'uring-percore')
                    ORDER BY number, p;
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 333)
                    INSERT INTO test (id, suite, area, name)
                    SELECT i, 'correctness', 'area ' || (i % 12), 'test ' || i FROM n;
                    INSERT INTO track (test, target)
                    SELECT test.id, t FROM test, (SELECT DISTINCT target AS t FROM cell);
                    INSERT INTO result (cell, track, repetition, position, verdict, seconds, message, evidence)
                    SELECT cell.id, track.id, 1, track.test,
                           CASE WHEN (cell.id * 7919 + track.id * 104729) % 397 = 0 THEN 2
                                WHEN track.test % 29 = 0 THEN 1 ELSE 0 END, 0.05, '', ''
                    FROM cell JOIN track ON track.target = cell.target ORDER BY cell.id, track.id;
                    """)
        }
    }
}
