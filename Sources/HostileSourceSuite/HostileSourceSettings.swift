import LinuxSystem

/// What a run of the suite shall do.
public struct HostileSourceSettings: Sendable {
    /// How long the source is changed under each target.
    public var duration: Duration = .seconds(20)
    /// Of everything random. What comes first is the machine's choice all the same.
    public var seed: UInt64 = 1
    /// How long an operation may take on an idle machine; on a busy one it gets more.
    public var deadline: Duration = .seconds(10)
    /// How long the daemon may take to end.
    public var stopDeadline: Duration = .seconds(20)

    public init() {}

    /// Long enough to be unlucky in.
    public static let quick = Duration.seconds(4)
}

/// What was asked for cannot be had.
public struct HostileSourceUnavailable: Error, CustomStringConvertible {
    public var description: String
}
