public import ArgumentParser
import BenchCore
import Foundation
import TestMatrix

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show a run as text, Markdown, JSON, JUnit, KTAP or an HTML page, or make one run of several.",
        subcommands: [ShowReport.self, MergeReport.self], defaultSubcommand: ShowReport.self)
}

struct ShowReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run.",
        discussion: "The run is named by its id or a beginning of it, last, last~1 (the one before) or baseline.")

    @Argument(help: ArgumentHelp("The run.", valueName: "run"))
    var name = "last"
    @OptionGroup var store: StoreOptions
    @Option(help: "text, markdown, json, junit, ktap or html.")
    var format = ReportFormat.text
    @Option(help: "Write into this file instead.")
    var file: String?

    func run() throws {
        let store = try store.open()
        let text = try words {
            let report = try RunReport(try store.run(named: name), from: store)
            return try ReportFiles(report, store: store, output: self.store.output).text(format)
        }
        guard let file else {
            FileHandle.standardOutput.write(Data(text.utf8))
            return
        }
        do {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        } catch {
            throw fail("\(file) cannot be written: \(error.localizedDescription)")
        }
    }
}

extension ReportFormat: ExpressibleByArgument {}

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
