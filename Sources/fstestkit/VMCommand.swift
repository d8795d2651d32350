import ArgumentParser

struct VMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm",
        abstract: "Other kernels, in virtual machines.",
        discussion: """
            The machine's own kernel, mounts and files are left alone: a guest has no network, and its disk is thrown away. \
            docs/kernels.md tells what it takes.
            """,
        subcommands: [
            VMRunCommand.self, VMSuiteCommand.self, VMShellCommand.self, VMKernelsCommand.self, VMBuildCommand.self,
            VMTryCommand.self,
            VMBisectCommand.self, VMCleanCommand.self,
        ])
}
