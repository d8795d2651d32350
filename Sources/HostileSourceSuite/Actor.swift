import Glibc

/// Whom a client acts as. The ids need no entry in the user database.
struct Actor: Sendable {
    let name: String
    let user: uid_t
    let group: gid_t
    let supplementary: [gid_t]
    /// The permissions of the directories that it makes, which nobody else gives: they tell a directory's maker, wherever it
    /// was moved. All let their owner and strangers do everything.
    let directoryMode: mode_t

    var isRoot: Bool { user == 0 }

    /// The group of the directory that hands its group on.
    static let team: gid_t = 60010

    static let root = Actor(name: "root", user: 0, group: 0, supplementary: [], directoryMode: 0o755)
    /// Alice and carol share a group, bob has nothing in common with anybody.
    static let users = [
        Actor(name: "alice", user: 60001, group: 60001, supplementary: [team], directoryMode: 0o707),
        Actor(name: "bob", user: 60002, group: 60002, supplementary: [], directoryMode: 0o717),
        Actor(name: "carol", user: 60003, group: 60003, supplementary: [team], directoryMode: 0o727),
    ]
    static let all = [root] + users

    /// Whether a file of this owner and group is as the user would have made it.
    static func mayOwn(_ user: uid_t, _ group: gid_t) -> Bool {
        guard let actor = all.first(where: { $0.user == user }) else { return false }
        return group == actor.group || group == team
    }
}
