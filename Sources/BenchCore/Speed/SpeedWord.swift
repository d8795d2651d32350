/// What is said of a subject beside the reference.
public enum SpeedWord: String, Codable, Sendable, Hashable {
    case faster
    case slower
    /// The rounds do not tell them apart, or not surely enough for a word.
    case noDifference = "no sure difference"
    /// Too much else was going on in its rounds to say anything.
    case disturbed
    case tooFewRounds = "too few rounds"
    /// It is what others are compared with.
    case reference
    /// The plain directory beside mounts: its ratio is the ceiling, or what a mount's page cache saves, and no verdict.
    case ruler
}
