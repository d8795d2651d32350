/// What is asked of the kernel after a case.
public enum FuzzOracle: String, Sendable, CaseIterable {
    case kernelLog = "kernel-log"
    case killable
    case connection
    case otherMemory = "other-memory"
    case goodDaemon = "good-daemon"
    case slabs

    /// One line, for the documentation and `--list`.
    public var summary: String {
        switch self {
        case .kernelLog: "nothing in the kernel log and nothing new in its taint"
        case .killable:
            "clients, daemon and all that they left are gone soon after they were killed and the connection was aborted"
        case .connection: "mount and connection are gone"
        case .otherMemory: "memory of a process that has nothing to do with it is as it was"
        case .goodDaemon: "a daemon that does everything right is served on this kernel still"
        case .slabs: "the kernel's objects of FUSE are as many as before"
        }
    }
}

/// An oracle that was not content.
public struct Alarm: Hashable, Sendable {
    public let oracle: FuzzOracle
    /// One line.
    public let what: String
    /// All there is to see.
    public let evidence: String

    init(_ oracle: FuzzOracle, _ what: String, evidence: String = "") {
        (self.oracle, self.what, self.evidence) = (oracle, what, evidence)
    }
}
