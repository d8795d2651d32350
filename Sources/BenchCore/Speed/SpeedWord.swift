/// What is said of a subject beside the reference.
public enum SpeedWord: String, Codable, Sendable, Hashable {
    case faster
    case slower
    case noDifference = "no difference seen"
    /// Too much else was going on in its rounds to say anything.
    case disturbed
    case tooFewRounds = "too few rounds"
    /// It is what others are compared with.
    case reference
}
