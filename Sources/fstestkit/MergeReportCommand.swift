import ArgumentParser
import BenchCore
import Foundation
import TestMatrix

struct MergeReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Make one run of the shards of one plan.",
        discussion: """
            Takes the last run of each folder, and copies its evidence along. Exit status: that of the merged run, 0, 1 or 69; a \
            missing shard is a failure.
            """)

    @Argument(help: "Folders that `fstestkit matrix --shard K/N --output DIR` has filled.")
    var folders: [String]
    @OptionGroup var store: StoreOptions

    func run() throws {
        let report = try words { try ShardMerge(folders: folders, output: store.output).merge() }
        print(TextReport(report).text(), terminator: "")
        let target = try MatrixSession.store(in: store.output)
        let files = try words { try ReportFiles(report, store: target, output: store.output).write() }
        print("report: \(files.page)")
        for shard in report.missingShards { notice("not run: \(shard)") }
        try RunStatus(
            hasFailures: [.failed, .unfinished].contains(report.standing),
            isMissing: [.empty, .leftOut].contains(report.standing)
        ).end()
    }
}
