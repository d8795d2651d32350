public import BenchCore

/// Settings from one place: the flags, the environment, or a file. What it does not say is nil.
public struct ConfigurationLayer: Sendable {
    public var suites: [String]?
    public var transports: [TransportName]?
    public var daemons: [MatrixConfiguration.TargetChoice]?
    public var kernels: [MatrixConfiguration.KernelChoice]?
    public var cpus: [Int]?
    public var possible: Int?
    public var numa: Int?
    public var memory: Int?
    public var accelerator: String?
    public var steady: Bool?
    public var append: [String]?
    public var copies: [String]?
    public var depths: [Int]?
    public var mountOptions: [String]?
    public var cycles: Int?
    public var quick: Bool?
    public var seed: UInt64?
    public var xfstests: String?
    public var timeout: Double?
    public var arguments: [String: [String]]?
    public var ownSuites: [MatrixConfiguration.OwnSuite]?
    public var accept: [Acceptance]?
    public var output: String?
    /// Where each setting was read, by key: `--depth`, `fstestkit.yaml:7`.
    public var origins: [String: String] = [:]

    public init() {}
}
