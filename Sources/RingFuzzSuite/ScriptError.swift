/// What is wrong with a script's text.
public struct ScriptError: Error, Hashable, Sendable {
    public let what: String
    /// From 1; nil if it is the whole.
    public var line: Int?

    init(_ what: String, line: Int? = nil) { (self.what, self.line) = (what, line) }
}
