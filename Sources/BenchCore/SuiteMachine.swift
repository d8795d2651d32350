/// The machine that a suite runs on, where it is not the bench's own.
public struct SuiteMachine: Codable, Sendable, Hashable {
    /// As `uname -r` says it.
    public var kernel: String
    /// As `uname -v` says it.
    public var build: String
    /// The build id of its image; nil if it is not known.
    public var buildID: String?
    /// A digest of its configuration; nil if it is not known.
    public var configuration: String?
    /// The kernel's.
    public var commandLine: String
    /// `QEMU 10.0.2`.
    public var emulator: String
    /// `kvm`, `tcg`, or `tcg, counting instructions`.
    public var accelerator: String
    public var processors: Int
    /// In MiB.
    public var memory: Int

    public init(
        kernel: String, build: String, buildID: String? = nil, configuration: String? = nil, commandLine: String,
        emulator: String, accelerator: String, processors: Int,
        memory: Int
    ) {
        self.kernel = kernel
        self.build = build
        self.buildID = buildID
        self.configuration = configuration
        self.commandLine = commandLine
        self.emulator = emulator
        self.accelerator = accelerator
        self.processors = processors
        self.memory = memory
    }

    /// What tells this kernel from another one of its version: `#1 SMP …; build 1a2b3c4d5e6f; configuration 1a2b3c4d5e6f7a8b`.
    public var identity: String {
        [build, buildID.map { "build \($0.prefix(12))" }, configuration.map { "configuration \($0)" }].compactMap(
            \.self
        )
        .joined(separator: "; ")
    }

    /// `Linux 6.18.15, 2 CPUs, 1536 MiB, QEMU 10.0.2 (tcg)`.
    public var text: String {
        "Linux \(kernel), \(processors == 1 ? "1 CPU" : "\(processors) CPUs"), \(memory) MiB, \(emulator) (\(accelerator))"
    }
}
