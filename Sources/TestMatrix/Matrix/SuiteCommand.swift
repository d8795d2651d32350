import BenchCore
import Foundation

/// The command line of a cell.
struct SuiteCommand {
    let configuration: MatrixConfiguration
    /// This project's program.
    let program: String

    /// Where a guest keeps the evidence, and its name of this project's program.
    private static let inGuest = (output: "/run/results", program: "fstestkit")
    /// Suites that go on after a death: they take `--skip NAME`.
    private static let resumable: Set<String> = ["correctness", "stop-path", "xfstests", MatrixConfiguration.ringFuzz]

    /// - Parameter output: where the suite's evidence goes; absolute.
    func arguments(_ entry: MatrixPlan.Entry, output: String, isResumed: Bool = false) -> [String] {
        guard let guest = entry.guest else { return suite(entry, program, output: output, isResumed: isResumed) }
        let choice = configuration.guests
        var result = [program, "vm", "suite", "--kernel", guest.kernel, "--cpus", "\(guest.cpus)"]
        result += ["--memory", "\(choice.memory)", "--accel", choice.accelerator]
        if let possible = choice.possible { result += ["--possible", "\(possible)"] }
        if let nodes = choice.nodes { result += ["--numa", "\(nodes)"] }
        if choice.isSteady { result.append("--steady") }
        for word in choice.append { result += ["--append", word] }
        for path in DaemonProgram.places(entry.target.command, entry.target.mountHelper) + choice.copies {
            result += ["--copy", path]
        }
        result += ["--timeout", "\(configuration.timeout)", "--output", output]
        if SuiteCommand.resumable.contains(entry.cell.suite) { result.append("--resume") }
        if entry.cell.suite == "xfstests", let checkout = configuration.xfstests { result += ["--xfstests", checkout] }
        result.append("--")
        result += suite(entry, SuiteCommand.inGuest.program, output: SuiteCommand.inGuest.output, isResumed: false)
        // Nobody else works on that machine.
        if ["stop-path", MatrixConfiguration.ringFuzz].contains(entry.cell.suite) {
            result.append("--allow-host-changes")
        }
        return result
    }

    private func suite(
        _ entry: MatrixPlan.Entry, _ program: String, output: String, isResumed: Bool
    ) -> [String] {
        let further = configuration.arguments[entry.cell.suite] ?? []
        if let own = configuration.ownSuites.first(where: { $0.name == entry.cell.suite }) {
            let values = [
                "{target}": entry.cell.target, "{output}": output, "{seed}": "\(entry.seed)",
                "{depth}": entry.cell.depth.map(String.init) ?? "",
                "{mount-options}": entry.target.mountOptions?.text ?? "",
            ]
            return Target.words(own.command).map { word in
                values.reduce(word) { $0.replacing($1.key, with: $1.value) }
            } + further
        }
        var result = [program, entry.cell.suite, "--json", "--output", output]
        if entry.cell.suite == "bench" {
            // Its own --depth is that of its clients.
            var target = entry.target
            if let depth = entry.cell.depth {
                target.mountOptions = MountOptionSet((target.mountOptions?.options ?? []) + ["depth=\(depth)"])
            }
            result += self.target(target, entry.cell.suite)
        } else if entry.cell.suite != MatrixConfiguration.ringFuzz {
            result += target(entry.target, entry.cell.suite)
        }
        if let depth = entry.cell.depth, entry.cell.suite != "bench" {
            result += entry.cell.suite == "xfstests" ? ["-o", "depth=\(depth)"] : ["--depth", "\(depth)"]
        }
        switch entry.cell.suite {
        case "xfstests":
            // A guest has it where it is told.
            if let checkout = configuration.xfstests, entry.guest == nil { result += ["--xfstests", checkout] }
            // Without a group or a test it would be `auto`: hours.
            if !further.contains(where: { $0 == "-g" || $0.hasPrefix("generic/") || $0.hasPrefix("fuse/") }) {
                result += ["-g", "quick"]
            }
            // What it had finished before the kill is on its disk; it says that again.
            if isResumed { result.append("--resume") }
        case MatrixConfiguration.ringFuzz:
            result += ["--seed", "\(entry.seed)"]
            if configuration.quick { result += ["--cases", "25"] }
        default:
            result += ["--seed", "\(entry.seed)"]
            if configuration.quick { result.append("--quick") }
        }
        return result + further
    }

    private func target(_ target: MatrixConfiguration.TargetChoice, _ suite: String) -> [String] {
        if let transport = target.transport {
            let options = target.mountOptions.map(\.text) ?? ""
            if options.isEmpty { return ["--transport", transport.rawValue] }
            return ["--transport", transport.rawValue, suite == "xfstests" ? "-o" : "--mount-option", options]
        }
        var result = target.command.map { ["--daemon", $0] } ?? ["--mount-helper", target.mountHelper ?? ""]
        if suite == "stop-path" || suite == "hostile-source" {
            // Read up to the next option.
            if !target.cleanStatuses.isEmpty { result += target.cleanStatuses.flatMap { ["--clean-status", "\($0)"] } }
            result += ["--label", target.label]
        }
        return result
    }
}
