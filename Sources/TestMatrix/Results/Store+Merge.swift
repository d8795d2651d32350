import Foundation
import GRDB

extension Store {
    /// Makes one run of the parts of one plan: shards, from this or other machines.
    ///
    /// Each cell is taken from the part that ran it. A cell that no part ran keeps the state `elsewhere`, and the run is
    /// unfinished: a shard is missing.
    ///
    /// - Parameter parts: at least one, with their results and the folders where their evidence lies.
    /// - Returns: the new run, recorded in this store.
    /// - Throws: ``StoreError/cannotMerge(_:)`` if they are not parts of one plan.
    public func merge(_ parts: [RunReport], id: String, folder: String) throws -> RunRecord {
        let merged = try Store.union(parts, id: id, folder: folder)
        return try database.write { database in
            let (run, cells) = try Store.insert(merged.run, merged.cells.map(\.record), into: database)
            var tracks = TrackNumbers(database)
            for (cell, source) in zip(cells, merged.cells) {
                try Store.insert(source.results, cell: cell.id, position: 0, tracks: &tracks)
            }
            return run
        }
    }

    /// The union of the parts, before it is recorded.
    static func union(_ parts: [RunReport], id: String, folder: String) throws -> RunReport {
        guard let first = parts.first else { throw StoreError.cannotMerge("there is nothing to merge") }
        var chosen = first.cells
        for part in parts.dropFirst() {
            guard part.cells.map(\.record.cell) == first.cells.map(\.record.cell) else {
                throw StoreError.cannotMerge("\(part.run.id) has another plan than \(first.run.id)")
            }
            guard part.run.seed == first.run.seed else {
                throw StoreError.cannotMerge("\(part.run.id) has another seed than \(first.run.id)")
            }
            for (index, cell) in part.cells.enumerated() {
                if cell.record.wasRun && chosen[index].record.wasRun {
                    throw StoreError.cannotMerge(
                        "\(cell.record.cell.key) was run by both \(first.run.id) and \(part.run.id)")
                }
                if precedence(cell) > precedence(chosen[index]) { chosen[index] = cell }
            }
        }
        var run = first.run
        run.number = 0
        run.id = id
        run.folder = folder
        run.shard = nil
        run.baseline = nil
        run.started = parts.map(\.run.started).min() ?? run.started
        run.finished = parts.compactMap(\.run.finished).max()
        run.state = chosen.contains { $0.record.isMissing(inShard: nil) } ? .interrupted : .finished
        let kernels = parts.map(\.run.kernel).uniqued()
        run.kernel = kernels.joined(separator: ", ")
        return RunReport(run: run, cells: chosen)
    }

    private static func precedence(_ cell: CellReport) -> Int {
        switch cell.record.state {
        case .finished, .broken: 4
        case .leftOut: 3
        case .running: 2
        case .planned: 1
        case .elsewhere: 0
        }
    }
}
