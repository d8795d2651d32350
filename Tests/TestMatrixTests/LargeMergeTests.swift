import BenchCore
import Foundation
import GRDB
import Glibc
import Testing

@testable import TestMatrix

/// 200 shards with 2,000 results each: 40 columns, five cycles.
@Suite struct LargeMergeTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test func twoHundredShardsAreMergedInSeconds() throws {
        let folders = try shards(200)
        let began = (wall: ContinuousClock.now, processor: processorSeconds())
        let (report, unreadable) = try ShardMerge(folders: folders, output: folder.path + "/merged").merge()
        let seconds = processorSeconds() - began.processor
        let wall = began.wall.duration(to: .now).seconds
        print(String(format: "merging 200 shards of 2,000 results takes %.1f s, %.1f s of a processor", wall, seconds))
        #expect(unreadable.isEmpty)
        #expect(report.counts.total == 400_000)
        #expect(report.run.state == .finished)
        // Of a processor, since it waits for next to nothing. The bound is for an optimised build; others get four times that.
        #if DEBUG
            #expect(seconds < 40)
        #else
            #expect(seconds < 10)
        #endif
    }

    /// What this thread has had, whatever else the machine does.
    private func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Filled by SQLite itself, each from the same beginning.
    private func shards(_ count: Int) throws -> [String] {
        let template = folder.path + "/template"
        let cells = (0..<count).map { position in
            CellRecord(
                cell: Cell(suite: "correctness", target: "target-\(position % 40)", cycle: position / 40 + 1),
                position: position, state: .elsewhere, reason: "shard \(position + 1)/\(count)", seed: 1)
        }
        let store = try MatrixSession.store(in: template)
        _ = try store.begin(.some("shard"), cells: cells)
        try store.database.write { database in
            try database.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                    INSERT INTO test (id, suite, area, name)
                    SELECT i, 'correctness', 'area ' || (i % 12), 'test ' || i FROM n
                    """)
        }
        try store.database.write { try $0.execute(sql: "UPDATE run SET state = 'finished'") }
        store.checkpoint()
        return try (0..<count).map { position in
            let path = "\(folder.path)/shard-\(position + 1)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: MatrixSession.storePath(in: template), toPath: MatrixSession.storePath(in: path))
            let queue = try DatabaseQueue(path: MatrixSession.storePath(in: path))
            try queue.write { database in
                try database.execute(
                    sql: """
                        UPDATE run SET id = 'shard-\(position)', shard = '\(position + 1)/\(count)';
                        UPDATE cell SET state = 'finished', reason = '', started = 1.79e9, seconds = 60
                        WHERE position = \(position);
                        INSERT INTO track (test, target) SELECT id, 'target-\(position % 40)' FROM test;
                        INSERT INTO result (cell, track, repetition, position, verdict, seconds, message, evidence)
                        SELECT cell.id, track.id, 1, track.test, CASE WHEN track.test % 97 = 0 THEN 2 ELSE 0 END, 0.05, '', ''
                        FROM track, cell WHERE cell.position = \(position);
                        """)
            }
            return path
        }
    }
}
