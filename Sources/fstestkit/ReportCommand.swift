import ArgumentParser

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show a run as text, Markdown, JSON, JUnit, KTAP or an HTML page, or make one run of several.",
        subcommands: [ShowReport.self, MergeReport.self], defaultSubcommand: ShowReport.self)
}
