import Foundation

/// A plan cut into shards, as JSON: what `matrix --plan` prints, a GitHub job takes as its `matrix`, and `matrix --planned` reads.
public struct PlanDocument: Sendable, Codable {
    let include: [Job]

    struct Job: Sendable, Codable {
        let name: String
        let shard: String
        let seed: UInt64
        /// What the shard is expected to take; nil where nobody knows.
        let seconds: Double?
        let cells: [JobCell]
    }

    struct JobCell: Sendable, Codable {
        let key: String
        let suite: String
        let kernel: String?
        let target: String
        let depth: Int?
        let cycle: Int
    }

    /// What is wrong with it.
    public struct Refusal: Error, Hashable, Sendable {
        public let what: String
    }

    /// - Parameter seconds: what each cell is expected to take, in the plan's order; nil to deal them out in turn.
    init(_ plan: MatrixPlan, shards: Int?, seconds: [Double]?) {
        let count = max(1, shards ?? plan.entries.count)
        let assignment =
            seconds.map { ShardAssignment(seconds: $0, balancedOver: count) }
            ?? ShardAssignment(cells: plan.entries.count, inTurnTo: count)
        include = (1...count).compactMap { index in
            let shard = Shard(index: index, count: count)
            let positions = assignment.cells(of: shard)
            if positions.isEmpty { return nil }
            let cells = positions.map { plan.entries[$0].cell }
            return Job(
                name: cells.count == 1 ? cells[0].key : "shard \(index) of \(count)", shard: shard.description,
                seed: plan.seed,
                seconds: seconds.map { all in positions.reduce(0) { $0 + all[$1] }.rounded() },
                cells: cells.map {
                    JobCell(
                        key: $0.key, suite: $0.suite, kernel: $0.kernel, target: $0.target, depth: $0.depth,
                        cycle: $0.cycle)
                })
        }
    }

    /// Reads a file.
    ///
    /// - Throws: ``Refusal``.
    public init(path: String) throws(Refusal) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Refusal(what: "\(path) cannot be read")
        }
        guard let document = try? JSONDecoder().decode(PlanDocument.self, from: data), !document.include.isEmpty,
            document.include.allSatisfy({ Shard($0.shard) != nil && $0.seed == document.seed })
        else {
            throw Refusal(what: "\(path) is no plan; fstestkit matrix --plan --shards N makes one")
        }
        self = document
    }

    /// On one line: it goes into a job's output.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    public var seed: UInt64 { include.first?.seed ?? 0 }

    /// How many shards there are, those without a cell among them.
    public var count: Int { include.first.flatMap { Shard($0.shard) }?.count ?? 0 }

    /// Who has which of the plan's cells.
    ///
    /// - Throws: ``Refusal`` if it is of another plan.
    func assignment(of plan: MatrixPlan) throws(Refusal) -> ShardAssignment {
        var owners: [String: Int] = [:]
        for job in include {
            for cell in job.cells { owners[cell.key] = Shard(job.shard)?.index }
        }
        var order: [Int] = []
        for entry in plan.entries {
            guard let owner = owners.removeValue(forKey: entry.cell.key) else {
                throw Refusal(what: "the plan is of other settings: it lacks \(entry.cell.key)")
            }
            order.append(owner)
        }
        if let extra = owners.keys.min() {
            throw Refusal(what: "the plan is of other settings: these have no \(extra)")
        }
        return ShardAssignment(count: count, owners: order)
    }
}
