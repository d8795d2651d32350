import BenchCore
import Foundation

/// The command line of a cell.
struct SuiteCommand {
    let configuration: MatrixConfiguration
    /// This project's program.
    let program: String

    /// - Parameter output: where the suite's evidence goes; absolute.
    func arguments(_ entry: MatrixPlan.Entry, output: String, isResumed: Bool = false) -> [String] {
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
        var result = [program, entry.cell.suite, "--json", "--output", output] + target(entry.target, entry.cell.suite)
        if let depth = entry.cell.depth {
            result += entry.cell.suite == "xfstests" ? ["-o", "depth=\(depth)"] : ["--depth", "\(depth)"]
        }
        switch entry.cell.suite {
        case "xfstests":
            if let checkout = configuration.xfstests { result += ["--xfstests", checkout] }
            // Without a group it would be `auto`: hours.
            if !further.contains("-g") { result += ["-g", "quick"] }
            // What it had finished before the kill is on its disk; it says that again.
            if isResumed { result.append("--resume") }
        case "stop-path", "hostile-source":
            result += ["--seed", "\(entry.seed)"]
            if configuration.quick { result.append("--quick") }
        default:
            result += ["--seed", "\(entry.seed)"]
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
