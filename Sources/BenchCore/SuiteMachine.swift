/// The machine that a suite runs on, where it is not the bench's own.
public struct SuiteMachine: Codable, Sendable, Hashable {
    /// As `uname -r` says it.
    public var kernel: String
    /// As `uname -v` says it.
    public var build: String
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
        kernel: String, build: String, commandLine: String, emulator: String, accelerator: String, processors: Int,
        memory: Int
    ) {
        self.kernel = kernel
        self.build = build
        self.commandLine = commandLine
        self.emulator = emulator
        self.accelerator = accelerator
        self.processors = processors
        self.memory = memory
    }

    /// `Linux 6.18.15, 2 CPUs, 1536 MiB, QEMU 10.0.2 (tcg)`.
    public var text: String {
        "Linux \(kernel), \(processors == 1 ? "1 CPU" : "\(processors) CPUs"), \(memory) MiB, \(emulator) (\(accelerator))"
    }
}
