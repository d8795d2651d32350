import Glibc

/// The ids that files are accessed with.
struct Identity: Sendable {
    var user: UInt32
    var group: UInt32
    var groups: [UInt32]

    /// The effective ones of this process.
    static func ofProcess() -> Identity {
        var groups = [UInt32](repeating: 0, count: max(0, Int(getgroups(0, nil))))
        let count = unsafe getgroups(CInt(groups.count), &groups)
        groups.removeLast(groups.count - max(0, Int(count)))
        return Identity(user: geteuid(), group: getegid(), groups: groups)
    }
}
