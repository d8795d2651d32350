import ArgumentParser

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract:
            "Show a run in the format of people, dashboards or kernel developers, make one run of several, or pages of all.",
        subcommands: [ShowReport.self, MergeReport.self, MakeSite.self], defaultSubcommand: ShowReport.self)
}
