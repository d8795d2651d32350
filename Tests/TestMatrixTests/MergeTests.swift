import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct MergeTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
    }

    /// A shard's run: its own cells finished with one result each.
    private func part(_ shard: Shard, seed: UInt64 = 7, suites: [String] = ["one", "two"]) throws -> RunReport {
        var configuration = MatrixConfiguration()
        configuration.ownSuites = suites.map { .init(name: $0, command: "true") }
        configuration.suites = suites
        let plan = MatrixPlan(configuration, seed: seed)
        let records = MatrixRunner.cells(plan, shard: shard, availability: Availability())
        let (run, cells) = try store.begin(.some("shard-\(shard.index)", seed: seed, shard: "\(shard)"), cells: records)
        for var cell in cells where cell.state == .planned {
            try store.append(
                [.some("area", "test", target: cell.cell.target, suite: cell.cell.suite)], to: cell, position: 0)
            cell.state = .finished
            try store.update(cell)
        }
        return try RunReport(store.end(run, state: .finished, at: Date()), from: store)
    }

    @Test func shardsMakeTheWhole() throws {
        let merged = try Store.union(
            [part(Shard(index: 2, count: 2)), part(Shard(index: 1, count: 2))], id: "m", folder: "f")
        #expect(merged.cells.allSatisfy { $0.record.state == .finished && $0.results.count == 1 })
        #expect(merged.run.state == .finished)
        #expect(merged.run.shard == nil)
        #expect(merged.standing == .passed)
    }

    @Test func aMissingShardShows() throws {
        let parts = [try part(Shard(index: 1, count: 3)), try part(Shard(index: 2, count: 3))]
        let run = try store.merge(parts, id: "m", folder: "f")
        let merged = try RunReport(run, from: store)
        #expect(merged.standing == .unfinished)
        #expect(merged.unfinished.map(\.record.reason) == ["shard 3/3", "shard 3/3"])
        #expect(merged.counts.total == 4)
    }

    @Test func whatIsNotOnePlanIsNotMerged() throws {
        let one = try part(Shard(index: 1, count: 2))
        let twice = #expect(throws: StoreError.self) { try Store.union([one, one], id: "m", folder: "f") }
        #expect("\(twice as Any)".contains("was run by both"))
        #expect(throws: StoreError.cannotMerge("shard-2 has another seed than shard-1")) {
            try Store.union([one, part(Shard(index: 2, count: 2), seed: 8)], id: "m", folder: "f")
        }
        let other = try TemporaryFolder().store()
        let stranger = try other.record(.some("x"), [.some("a", "b")])
        #expect(throws: StoreError.cannotMerge("x has another plan than shard-1")) {
            try Store.union([one, stranger], id: "m", folder: "f")
        }
    }
}
