import Foundation
import GRDB

extension Store {
    /// Records a run that was made of several, in the place of what was made of the same parts, or of some of them, before.
    ///
    /// - Returns: the run as recorded, with what its settings accept, and the folders of those whose place it took.
    func replace(with merged: RunReport) throws -> (report: RunReport, replaced: [String]) {
        try database.write { database in
            let older = try RunRecord.fetch(database, "WHERE parts IS NOT NULL", arguments: []).filter {
                Set($0.parts).isSubset(of: merged.run.parts)
            }
            for run in older { try database.execute(sql: "DELETE FROM run WHERE number = ?", arguments: [run.number]) }
            let (run, cells) = try Store.insert(merged.run, merged.cells.map(\.record), into: database)
            var tracks = TrackNumbers(database)
            for (cell, source) in zip(cells, merged.cells) {
                try Store.insert(source.results, cell: cell.id, position: 0, tracks: &tracks)
            }
            // What has just been written need not be read.
            let report = RunReport(
                run: run, cells: zip(cells, merged.cells).map { CellReport(record: $0, results: $1.results) },
                acceptances: run.acceptances)
            return (report, older.map(\.folder).filter { $0 != run.folder })
        }
    }
}
