public import ArgumentParser
import BenchCore
import Foundation
import TestMatrix

struct ShowReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run.",
        discussion: "The run is named by its id or a beginning of it, last, last~1 (the one before) or baseline.")

    @Argument(help: ArgumentHelp("The run.", valueName: "run"))
    var name = "last"
    @OptionGroup var store: StoreOptions
    @Option(help: "text, markdown, json, junit, tap, ktap, kcidb, github (annotations), badge (SVG) or html.")
    var format = ReportFormat.text
    @Option(help: "With kcidb: the name that its maintainers have given you.")
    var origin = KCIDBReport.usualOrigin
    @Option(help: "Write into this file instead.")
    var file: String?

    func validate() throws {
        if !KCIDBReport.isOrigin(origin) {
            throw ValidationError("--origin takes lower-case letters, digits and underscores, not '\(origin)'")
        }
    }

    func run() throws {
        let store = try store.open()
        let text = try words {
            let report = try RunReport(try store.run(named: name), from: store)
            return try ReportFiles(report, store: store, output: self.store.output).text(format, origin: origin)
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
