import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct ShardTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private var plan: MatrixPlan {
        var configuration = MatrixConfiguration()
        configuration.depths = [1, 8]
        return MatrixPlan(configuration, seed: 5)
    }

    @Test func theLongestGoesFirst() {
        let assignment = ShardAssignment(seconds: [1, 1, 1, 9, 4, 5, 3], balancedOver: 3)
        let loads = (1...3).map { index in
            assignment.cells(of: Shard(index: index, count: 3)).reduce(0.0) { $0 + [1, 1, 1, 9, 4, 5, 3][$1] }
        }
        #expect(loads == [9, 8, 7])
        #expect(assignment.cells(of: Shard(index: 1, count: 3)) == [3])
        // Of equals the first one goes to the first shard, always.
        #expect(ShardAssignment(seconds: [2, 2, 2, 2], balancedOver: 2).owners == [1, 2, 1, 2])
    }

    @Test func everyCellIsInOneShard() {
        let seconds = (0..<97).map { Double(($0 * 7919) % 31) }
        for count in [1, 2, 7, 97, 120] {
            let assignment = ShardAssignment(seconds: seconds, balancedOver: count)
            let all = (1...count).flatMap { assignment.cells(of: Shard(index: $0, count: count)) }
            #expect(all.sorted() == Array(seconds.indices))
            let loads = (1...count).map { index in
                assignment.cells(of: Shard(index: index, count: count)).reduce(0) { $0 + seconds[$1] }
            }
            let least = max(seconds.max() ?? 0, seconds.reduce(0, +) / Double(count))
            #expect((loads.max() ?? 0) <= least * 4 / 3)
        }
    }

    @Test func whatIsNewTakesAsLongAsItsSuite() {
        let plan = plan
        let keys = plan.entries.map(\.cell.key)
        let expected = plan.expected([
            "correctness/legacy": 10, "correctness/uring-single/depth-1": 30, "stop-path/legacy": 100,
        ])
        #expect(expected[keys.firstIndex(of: "correctness/legacy") ?? 0] == 10)
        #expect(expected[keys.firstIndex(of: "correctness/uring-single/depth-8") ?? 0] == 20)
        #expect(expected[keys.firstIndex(of: "stop-path/uring-single/depth-8") ?? 0] == 100)
        #expect(expected[keys.firstIndex(of: "xfstests/legacy") ?? 0] == 140 / 3.0)
        #expect(Set(plan.expected([:])) == [1])
    }

    @Test func thePlanIsReadBack() throws {
        let plan = plan
        let store = try folder.store()
        for (day, seconds) in [100.0, 60].enumerated() {
            try store.record(
                .some("r\(day)", day: day),
                [.some("a", "b", suite: "stop-path", seconds: seconds), .some("a", "b", seconds: 5)])
        }
        let text = try plan.json(shards: 4, timesFrom: store)
        #expect(try text == plan.json(shards: 4, timesFrom: store))
        try folder.write("plan.json", text)
        let document = try PlanDocument(path: folder.path + "/plan.json")
        #expect(document.seed == 5 && document.count == 4)
        let assignment = try document.assignment(of: plan)
        let seconds = plan.expected(try store.expectedSeconds())
        #expect(assignment == ShardAssignment(seconds: seconds, balancedOver: 4))
        #expect(assignment != ShardAssignment(cells: plan.entries.count, inTurnTo: 4))
        let cells = MatrixRunner.cells(
            plan, shard: Shard(index: 2, count: 4), assignment: assignment, availability: Availability())
        #expect(
            cells.filter { $0.state != .elsewhere }.map(\.position)
                == assignment.cells(of: Shard(index: 2, count: 4)))
        var other = plan.configuration
        other.suites = ["correctness"]
        #expect(
            throws: PlanDocument.Refusal(what: "the plan is of other settings: these have no hostile-source/legacy")
        ) {
            try document.assignment(of: MatrixPlan(other, seed: 5))
        }
        other.suites = plan.configuration.suites + ["bench"]
        #expect(throws: PlanDocument.Refusal(what: "the plan is of other settings: it lacks bench/legacy")) {
            try document.assignment(of: MatrixPlan(other, seed: 5))
        }
        try folder.write("none.json", "{}")
        #expect(throws: PlanDocument.Refusal.self) { try PlanDocument(path: folder.path + "/none.json") }
        #expect(throws: PlanDocument.Refusal.self) { try PlanDocument(path: folder.path + "/missing.json") }
    }

    @Test(
        arguments: [
            (["SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "6"], nil, "2/6"),
            // One job of an array, run again alone.
            (["SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "1"], 6, "5/6"),
            (["JOB_COMPLETION_INDEX": "0"], 3, "1/3"),
            (["CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "3"], nil, "3/3"),
            (["SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "6"], nil, nil),
            (["JOB_COMPLETION_INDEX": "3"], 3, nil), (["JOB_COMPLETION_INDEX": "3"], nil, nil),
            (["CI_NODE_INDEX": "x", "CI_NODE_TOTAL": "3"], nil, nil), ([:], 3, nil),
        ] as [([String: String], Int?, String?)])
    func aSchedulersJobIsAShard(environment: [String: String], count: Int?, shard: String?) {
        #expect((try? ScheduledShard.shard(environment, of: count))?.description == shard)
    }
}
