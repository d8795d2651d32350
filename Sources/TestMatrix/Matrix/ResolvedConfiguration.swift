import BenchCore

/// The settings in force, and where each came from.
public struct ResolvedConfiguration: Sendable {
    public struct Setting: Sendable, Hashable {
        public var key: String
        public var value: String
        public var origin: String
    }

    public var configuration: MatrixConfiguration
    public let settings: [Setting]

    /// - Parameter layers: the strongest first.
    public init(_ layers: [ConfigurationLayer]) {
        var result = MatrixConfiguration()
        var settings: [Setting] = []

        /// Takes a setting from the strongest layer that has it.
        func take<Value>(_ key: String, _ path: (ConfigurationLayer) -> Value?, _ apply: (Value) -> Void) -> String {
            guard let layer = layers.first(where: { path($0) != nil }), let value = path(layer) else {
                return "default"
            }
            apply(value)
            return layer.origins[key] ?? "unknown"
        }
        func note(_ key: String, _ value: String, _ origin: String) {
            settings.append(Setting(key: key, value: value, origin: origin))
        }

        let own = take("own-suites", \.ownSuites) { result.ownSuites = $0 }
        if !result.ownSuites.isEmpty { result.suites += result.ownSuites.map(\.name) }
        let suites = take("suites", \.suites) { result.suites = $0.uniqued() }
        note("suites", result.suites.joined(separator: ", "), suites)
        note("own-suites", result.ownSuites.map { "\($0.name): \($0.command)" }.joined(separator: ", "), own)

        // Whoever names a daemon wants that one; our own transports come along if they are named too, in the same place.
        if let layer = layers.first(where: { $0.transports != nil || $0.daemons != nil }) {
            let transports = (layer.transports ?? []).map { MatrixConfiguration.TargetChoice(transport: $0) }
            result.targets = transports + (layer.daemons ?? [])
        }
        let isOurs = result.targets.filter { $0.transport != nil }.map(\.label)
        note("transports", isOurs.joined(separator: ", "), take("transports", \.transports) { _ in })
        note(
            "daemons", result.targets.compactMap(ResolvedConfiguration.text).joined(separator: ", "),
            take("daemons", \.daemons) { _ in })
        let kernels = take("kernels", \.kernels) { result.kernels = $0 }
        note(
            "kernels",
            result.kernels.map { kernel in kernel.specification.map { "\(kernel.label): \($0)" } ?? kernel.label }
                .joined(separator: ", "), kernels)
        let cpus = take("cpus", \.cpus) { result.guests.cpus = $0 }
        note("cpus", result.guests.cpus.map(String.init).joined(separator: ", "), cpus)
        let possible = take("possible", \.possible) { result.guests.possible = $0 }
        note("possible", result.guests.possible.map(String.init) ?? "as many as there are", possible)
        let numa = take("numa", \.numa) { result.guests.nodes = $0 }
        note("numa", "\(result.guests.nodes ?? 1)", numa)
        let memory = take("memory", \.memory) { result.guests.memory = $0 }
        note("memory", "\(result.guests.memory) MiB", memory)
        let accelerator = take("accelerator", \.accelerator) { result.guests.accelerator = $0 }
        note("accelerator", result.guests.accelerator, accelerator)
        let steady = take("steady", \.steady) { result.guests.isSteady = $0 }
        note("steady", "\(result.guests.isSteady)", steady)
        let append = take("append", \.append) { result.guests.append = $0 }
        note("append", result.guests.append.joined(separator: " "), append)
        let copies = take("copies", \.copies) { result.guests.copies = $0 }
        note("copies", result.guests.copies.joined(separator: ", "), copies)
        let depths = take("depths", \.depths) { result.depths = $0.uniqued() }
        note("depths", result.depths.map(String.init).joined(separator: ", "), depths)
        let mountOptions = take("mount-options", \.mountOptions) { result.mountOptions = $0 }
        note("mount-options", result.mountOptions.joined(separator: " "), mountOptions)
        let cycles = take("cycles", \.cycles) { result.cycles = $0 }
        note("cycles", "\(result.cycles)", cycles)
        let quick = take("quick", \.quick) { result.quick = $0 }
        note("quick", "\(result.quick)", quick)
        let seed = take("seed", \.seed) { result.seed = $0 }
        note("seed", result.seed.map(String.init) ?? "drawn for each run", seed)
        let xfstests = take("xfstests", \.xfstests) { result.xfstests = $0 }
        note("xfstests", result.xfstests ?? "", xfstests)
        let timeout = take("timeout", \.timeout) { result.timeout = $0 }
        note("timeout", "\(result.timeout) s", timeout)
        let arguments = take("arguments", \.arguments) { result.arguments = $0 }
        note(
            "arguments",
            result.arguments.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.joined(separator: " "))" }
                .joined(separator: ", "), arguments)
        let accept = take("accept", \.accept) { result.accept = $0 }
        // A flag may have put other targets in the place of the file's: what is accepted of those is not for this run.
        let replaced = ResolvedConfiguration.labels(layers).subtracting(result.targets.map(\.label))
        result.accept?.removeAll { acceptance in acceptance.target.map(replaced.contains) ?? false }
        note("accept", (result.accept ?? []).map { "\($0.finding) (\($0.words))" }.joined(separator: ", "), accept)
        let output = take("output", \.output) { result.output = $0 }
        note("output", result.output, output)
        configuration = result
        self.settings = settings
    }

    /// Of all targets that some layer names.
    private static func labels(_ layers: [ConfigurationLayer]) -> Set<String> {
        Set(layers.flatMap { ($0.daemons ?? []).map(\.label) + ($0.transports ?? []).map(\.rawValue) })
    }

    private static func text(_ target: MatrixConfiguration.TargetChoice) -> String? {
        (target.command ?? target.mountHelper.map { "mount -t fuse.\($0)" }).map { "\(target.label): \($0)" }
    }
}
