public import BenchCore
import Foundation

/// What a matrix shall run: recorded with the run, so that a resume runs the same.
public struct MatrixConfiguration: Sendable, Hashable, Codable {
    /// By name: the built-in ones, and those of ``ownSuites``.
    public var suites: [String] = MatrixConfiguration.usualSuites
    public var targets: [TargetChoice] = TransportName.allCases.map { TargetChoice(transport: $0) }
    /// The kernels, one after the other.
    public var kernels = [KernelChoice.host]
    /// What guests are like.
    public var guests = GuestChoice()
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
    /// Known findings that shall not turn a cell red.
    public var accept: [Acceptance]?
    /// The folder that holds the store and the runs.
    public var output = "fstestkit-results"

    public init() {}

    /// What is run where nobody names any.
    public static let usualSuites = ["correctness", "stop-path", "hostile-source", "xfstests"]
    public static let builtInSuites = usualSuites + ["bench", ringFuzz]

    /// The suite that is a daemon itself: its target is the kernel, whatever the others are run on.
    static let ringFuzz = "ring-fuzz"

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

        /// The kernel itself: nothing of ours or anybody's serves the mount.
        static let kernel = TargetChoice(label: "kernel")

        private init(label: String) {
            self.label = label
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

    /// A kernel: the machine's own, or that of a guest.
    public struct KernelChoice: Sendable, Hashable, Codable {
        /// What the matrix's column is called.
        public var label: String
        /// As `vm run --kernel` takes it, with an absolute path; nil for the machine's own, without a guest.
        public var specification: String?

        /// The machine's own.
        public static let host = KernelChoice(label: "host", specification: nil)

        private init(label: String, specification: String?) {
            self.label = label
            self.specification = specification
        }

        /// Reads `host`, `deb:6.18`, a path, or either of the latter with a name: `mine=~/linux`.
        public init(_ text: String) {
            if text == "host" {
                self = .host
                return
            }
            var specification = text
            var label: String?
            if let end = text.firstIndex(of: "="), !text[..<end].contains(where: { $0 == "/" || $0 == ":" }) {
                label = String(text[..<end])
                specification = String(text[text.index(after: end)...])
            }
            if specification.hasPrefix("deb:") {
                label = label ?? String(specification.dropFirst("deb:".count))
            } else {
                specification =
                    URL(fileURLWithPath: (specification as NSString).expandingTildeInPath)
                    .standardizedFileURL.path
                label = label ?? (specification as NSString).lastPathComponent
            }
            self.init(label: label ?? "", specification: specification)
        }
    }

    /// The machine of a guest.
    public struct GuestChoice: Sendable, Hashable, Codable {
        /// Numbers of CPUs, a column for each.
        public var cpus = [GuestChoice.usualCPUs]
        /// CPUs that may ever be there; nil for those that are.
        public var possible: Int?
        /// NUMA nodes; nil for one.
        public var nodes: Int?
        /// In MiB.
        public var memory = 1536
        /// `kvm`, `tcg` or `auto`.
        public var accelerator = "auto"
        /// Its clock counts instructions.
        public var isSteady = false
        /// For the kernel's command line.
        public var append: [String] = []
        /// Files of the machine that it has too, as `vm run --copy` takes them.
        public var copies: [String] = []

        public init() {}

        /// What a column need not say.
        static let usualCPUs = 2
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
            ("kernel", kernels.map(\.label)), ("number of CPUs", guests.cpus.map(String.init)),
        ] {
            let twice = Dictionary(grouping: names, by: \.self).filter { $0.value.count > 1 }.keys.sorted()
            problems += twice.map { "the \(what) '\($0)' is there twice; give one of them another name" }
        }
        problems += (suites + targets.map(\.label) + kernels.map(\.label)).filter {
            $0.isEmpty || $0.contains("/") || $0.contains(where: \.isWhitespace)
        }
        .map { "'\($0)' cannot be a name: it becomes a folder's" }
        if let depth = depths.first(where: { $0 < 1 || $0 > 4096 }) {
            problems.append("depth \(depth) is not from 1 to 4096")
        }
        if kernels.isEmpty { problems.append("there is no kernel to run on") }
        if guests.cpus.isEmpty { problems.append("guests need a number of CPUs") }
        for count in guests.cpus {
            if let possible = guests.possible, possible < count {
                problems.append("a guest with \(count) CPUs needs possible CPUs from \(count) on, not \(possible)")
            }
            if let nodes = guests.nodes, nodes > max(count, guests.possible ?? 0) {
                problems.append("a guest with \(count) CPUs has \(count) NUMA nodes at most, not \(nodes)")
            }
        }
        if guests.isSteady && guests.accelerator == "kvm" {
            problems.append("a steady guest is emulated: it excludes the accelerator kvm")
        }
        for acceptance in accept ?? [] {
            if let target = acceptance.target, !targets.contains(where: { $0.label == target }) {
                problems.append("'\(acceptance.finding)' is accepted of '\(target)', which is not run")
            }
        }
        for target in targets where target.command.map({ Target.words($0).isEmpty }) ?? false {
            problems.append("the command of '\(target.label)' has no program in it")
        }
        for suite in ownSuites where Target.words(suite.command).isEmpty {
            problems.append("the command of '\(suite.name)' has no program in it")
        }
        if cycles < 1 { problems.append("cycles must be at least 1, not \(cycles)") }
        if timeout <= 0 { problems.append("timeout must be above 0 seconds, not \(timeout)") }
        return problems
    }
}
