/// Which shard has which cell of a plan. It follows from what it is made of alone, so that all shards agree on it.
public struct ShardAssignment: Sendable, Hashable {
    public let count: Int
    /// The shard of each cell, from 1, in the plan's order.
    let owners: [Int]

    init(count: Int, owners: [Int]) {
        self.count = count
        self.owners = owners
    }

    /// Cells dealt out in turn, so that each shard gets some of every suite.
    init(cells: Int, inTurnTo count: Int) {
        self.init(count: count, owners: (0..<cells).map { $0 % count + 1 })
    }

    /// The longest cell first, each to the shard that has the least to do by then (of equals, to the first): none takes more than a
    /// third longer than the best there is.
    ///
    /// - Parameter seconds: what each cell is expected to take.
    init(seconds: [Double], balancedOver count: Int) {
        var owners = Array(repeating: 1, count: seconds.count)
        var loads = Array(repeating: 0.0, count: count)
        for cell in seconds.indices.sorted(by: { (-seconds[$0], $0) < (-seconds[$1], $1) }) {
            let least = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            owners[cell] = least + 1
            loads[least] += seconds[cell]
        }
        self.init(count: count, owners: owners)
    }

    /// The positions of a shard's cells.
    func cells(of shard: Shard) -> [Int] { owners.indices.filter { owners[$0] == shard.index } }

    func owner(of position: Int) -> Shard { Shard(index: owners[position], count: count) }
}
