import Foundation

/// The machine that a run was made on.
public struct Machine: Sendable, Hashable, Codable {
    public var name: String
    public var architecture: String
    public var processor: String
    public var processors: Int
    /// In bytes.
    public var memory: UInt64
    public var system: String

    public init(name: String, architecture: String, processor: String, processors: Int, memory: UInt64, system: String)
    {
        self.name = name
        self.architecture = architecture
        self.processor = processor
        self.processors = processors
        self.memory = memory
        self.system = system
    }
}
