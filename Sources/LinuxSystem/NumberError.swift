/// A text that is not the number it should be.
public struct NumberError: Error, Hashable, Sendable, CustomStringConvertible {
    public let text: String
    /// What it should be.
    public let wanted: String

    public var description: String { "it takes \(wanted), not '\(text)'" }
}
