/// What a run asserts of a daemon whose source is changed behind it.
public enum HostileSourceOracle: String, Sendable, Hashable, Codable, CaseIterable {
    case privateFileUnread = "private-file-stays-unread"
    case privateFileUnchanged = "private-file-stays-unchanged"
    case privateDirectoryUnread = "private-directory-stays-unread"
    case privateAttributeUnread = "private-attribute-stays-unread"
    case trustedNamesUnlisted = "trusted-names-stay-unlisted"
    case createdIsMine = "created-file-is-its-makers"
    case outsideUntouched = "outside-stays-untouched"
    case nothingHangs = "no-operation-hangs"
    case daemonLives = "daemon-lives"
    case daemonEnds = "daemon-ends-in-time"
    case kernelLog = "kernel-log-stays-clean"

    /// The part of the suite it belongs to.
    public var area: String {
        switch self {
        case .privateFileUnread, .privateFileUnchanged, .privateDirectoryUnread, .privateAttributeUnread,
            .trustedNamesUnlisted:
            "secrets"
        case .createdIsMine: "ownership"
        case .outsideUntouched: "outside"
        case .nothingHangs, .daemonLives, .daemonEnds, .kernelLog: "life"
        }
    }
}

/// Something that must not be, as a worker or the bench has seen it.
struct Violation: Codable, Sendable {
    var oracle: HostileSourceOracle
    /// One line: who did what, and what came of it.
    var what: String
}
