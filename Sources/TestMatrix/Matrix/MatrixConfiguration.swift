public import BenchCore

/// What a matrix shall run: recorded with the run, so that a resume runs the same.
public struct MatrixConfiguration: Sendable, Hashable, Codable {
    /// By name: the built-in ones, and those of ``ownSuites``.
    public var suites: [String] = MatrixConfiguration.builtInSuites
    public var targets: [TargetChoice] = TransportName.allCases.map { TargetChoice(transport: $0) }
    /// Entries of each kernel queue, for the transports that use a ring; empty for the daemon's own choice.
    public var depths: [Int] = []
    /// Sets of mount options for this project's own transports, as ``MountOptionSet/sets(_:on:seed:)`` takes them; empty for the
    /// defaults. The suites that take none run without.
    public var mountOptions: [String] = []
    public var cycles = 1
    public var quick = false
    /// Drawn at random, once, if nil.
    public var seed: UInt64?
    /// A built checkout of xfstests.
    public var xfstests: String?
    /// Seconds without a word from a suite after which it counts as hung.
    public var timeout: Double = 900
    /// Further arguments, by suite.
    public var arguments: [String: [String]] = [:]
    public var ownSuites: [OwnSuite] = []
    /// The folder that holds the store and the runs.
    public var output = "fstestkit-results"

    public init() {}

    public static let builtInSuites = ["correctness", "stop-path", "hostile-source", "xfstests"]

    /// Suites that mount with options that they are given. How a connection ends does not depend on them.
    public static let suitesWithMountOptions: Set<String> = ["correctness", "hostile-source", "xfstests"]

    /// A suite that is another program: it says ``SuiteEvent``s on its standard output.
    public struct OwnSuite: Sendable, Hashable, Codable {
        public var name: String
        /// `{target}`, `{output}`, `{seed}`, `{depth}` and `{mount-options}` are replaced.
        public var command: String

        public init(name: String, command: String) {
            self.name = name
            self.command = command
        }
    }

    /// What serves the mount.
    public struct TargetChoice: Sendable, Hashable, Codable {
        /// What the matrix's column is called.
        public var label: String
        public var transport: TransportName?
        /// `COMMAND {source} {mountpoint}`, in the foreground.
        public var command: String?
        /// For `mount -t fuse.TYPE`.
        public var mountHelper: String?
        /// The daemon's exit statuses when all is well; empty for the suite's default.
        public var cleanStatuses: [Int32] = []
        /// What it is mounted with, for a transport of this project's.
        public var mountOptions: MountOptionSet?

        public init(transport: TransportName, mountOptions: MountOptionSet? = nil) {
            label = mountOptions?.label(on: transport) ?? transport.rawValue
            self.transport = transport
            self.mountOptions = mountOptions
        }

        public init(label: String? = nil, command: String, cleanStatuses: [Int32] = []) {
            self.label = label ?? Target(.command(command)).label
            self.command = command
            self.cleanStatuses = cleanStatuses
        }

        public init(label: String? = nil, mountHelper: String, cleanStatuses: [Int32] = []) {
            self.label = label ?? Target(.mountHelper(mountHelper)).label
            self.mountHelper = mountHelper
            self.cleanStatuses = cleanStatuses
        }
    }

    /// What is wrong with it, as far as can be told without running it.
    public var problems: [String] {
        var problems: [String] = []
        let known = MatrixConfiguration.builtInSuites + ownSuites.map(\.name)
        problems += suites.filter { !known.contains($0) }.map { name in
            "there is no suite '\(name)'; there are \(known.joined(separator: ", "))"
        }
        if suites.isEmpty { problems.append("there is no suite to run") }
        if targets.isEmpty { problems.append("there is no transport or daemon to run on") }
        for (what, names) in [
            ("suite", ownSuites.map(\.name) + MatrixConfiguration.builtInSuites), ("target", targets.map(\.label)),
        ] {
            let twice = Dictionary(grouping: names, by: \.self).filter { $0.value.count > 1 }.keys.sorted()
            problems += twice.map { "the \(what) '\($0)' is there twice; give one of them another name" }
        }
        problems += (suites + targets.map(\.label)).filter {
            $0.isEmpty || $0.contains("/") || $0.contains(where: \.isWhitespace)
        }
        .map { "'\($0)' cannot be a name: it becomes a folder's" }
        if let depth = depths.first(where: { $0 < 1 || $0 > 4096 }) {
            problems.append("depth \(depth) is not from 1 to 4096")
        }
        if cycles < 1 { problems.append("cycles must be at least 1, not \(cycles)") }
        if timeout <= 0 { problems.append("timeout must be above 0 seconds, not \(timeout)") }
        return problems
    }
}
