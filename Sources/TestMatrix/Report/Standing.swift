import BenchCore

/// What a run, a cell or a group comes to.
public enum Standing: String, Sendable, Codable {
    case passed, failed
    /// Not all of it was run.
    case unfinished
    /// Nothing was executed.
    case empty
    case leftOut = "left out"
}
