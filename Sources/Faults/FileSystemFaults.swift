/// What a filesystem can be made to do wrong, for the tests of the tests: each one must be caught.
public enum FileSystemFault: String, CaseIterable, Sendable {
    case wrongErrno = "wrong-errno"
    case wrongOwner = "wrong-owner"
    case maskIgnored = "umask-ignored"
    case setIDKept = "set-id-kept"
    case lostTruncate = "lost-truncate"
    case staleAttribute = "stale-attribute"
    case wrongLinkCount = "wrong-link-count"
    case timesNotSet = "times-not-set"
    case unstableInode = "unstable-inode"
    case corruptedByte = "corrupted-byte"
    case lostWrite = "lost-write"
    case shortWrite = "short-write"
    case doubledWrite = "doubled-write"
    case shortRead = "short-read"
    case holeFilled = "hole-filled"
    case lostUnlink = "lost-unlink"
    case droppedRenameFlag = "dropped-rename-flag"
    case cutLinkTarget = "cut-link-target"
    case entryDropped = "entry-dropped"
    case entryDoubled = "entry-doubled"
    case lostXattr = "lost-xattr"
    case xattrFlagIgnored = "xattr-flag-ignored"
    case accessListIgnored = "acl-ignored"
    case lockIgnored = "lock-ignored"
    case wrongSpace = "wrong-statfs"

    /// All of them, for a message.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// One line for people.
    public var summary: String {
        switch self {
        case .wrongErrno: "rmdir of a directory with entries says EBUSY"
        case .wrongOwner: "what is created belongs to root, whoever created it"
        case .maskIgnored: "the caller's umask is not applied"
        case .setIDKept: "set-id bits outlive a write"
        case .lostTruncate: "a change of size is acknowledged and not made"
        case .staleAttribute: "mode and mtime of a file are told as they were at first"
        case .wrongLinkCount: "a file has one link more than names"
        case .timesNotSet: "a change of times is acknowledged and not made"
        case .unstableInode: "a file has another inode number each time"
        case .corruptedByte: "one write in 64 has one wrong byte"
        case .lostWrite: "one write in 64 is acknowledged and not made"
        case .shortWrite: "half of a write is made and all of it acknowledged"
        case .doubledWrite: "one write in 64 lands a second time, 4096 bytes further on"
        case .shortRead: "a read returns half of what is there"
        case .holeFilled: "punching a hole writes zeros"
        case .lostUnlink: "an unlink is acknowledged and not made"
        case .droppedRenameFlag: "a rename forgets its flags"
        case .cutLinkTarget: "a symbolic link's target lacks its last byte"
        case .entryDropped: "one directory entry in 50 is not listed"
        case .entryDoubled: "one directory entry in 50 is listed twice"
        case .lostXattr: "an extended attribute is acknowledged and not kept"
        case .xattrFlagIgnored: "XATTR_CREATE and XATTR_REPLACE are forgotten"
        case .accessListIgnored: "an access control list is acknowledged and not kept"
        case .lockIgnored: "every lock is granted"
        case .wrongSpace: "statfs says that more is free than there is"
        }
    }
}
