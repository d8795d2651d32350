public import ArgumentParser
import BenchCore
import Foundation
import TestMatrix

struct MergeReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Make one run of the shards of one plan.",
        discussion: """
            Takes the last run of each folder, and copies its evidence along. What was merged before may be merged with more; what \
            is there twice counts once. A folder that cannot be read is named, and the rest is merged. Exit status: that of the \
            merged run, 0, 1 or 69; a missing shard is a failure.
            """)

    @Argument(help: "Folders that `fstestkit matrix --shard K/N --output DIR` has filled.")
    var folders: [String]
    @Option(help: "Runs of one plan on several machines: a column for each kernel, or for each machine.")
    var columns: RunUnion.Columns?
    @OptionGroup var store: StoreOptions

    func run() throws {
        for folder in folders + [store.output] { _ = try OutputFolder.path(folder) }
        let signals = StopSignals()
        let (report, unreadable): (RunReport, [ShardMerge.Unreadable])
        do {
            (report, unreadable) = try words {
                try ShardMerge(folders: folders, columns: columns, output: store.output)
                    .merge(isStopped: { signals.received != nil })
            }
        } catch is CancellationError {
            notice("interrupted; \(store.output) is as it was")
            throw ExitCode(128 + (signals.received ?? SIGINT))
        }
        print(TextReport(report).text(), terminator: "")
        let target = try MatrixSession.store(in: store.output)
        let files = try words { try ReportFiles(report, store: target, output: store.output).write() }
        print("report: \(files.page)")
        for part in unreadable { notice("\(part.folder) is left out: \(part.why.sentence)") }
        for shard in report.missingShards { notice("not run: \(shard)") }
        try RunStatus(
            hasFailures: [.failed, .unfinished].contains(report.standing),
            isMissing: [.empty, .leftOut].contains(report.standing)
        ).end()
    }
}

extension RunUnion.Columns: ExpressibleByArgument {}
