import ArgumentParser

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract:
            "Show a run in the format of people, dashboards or kernel developers, or make one run of several.",
        subcommands: [ShowReport.self, MergeReport.self], defaultSubcommand: ShowReport.self)
}
