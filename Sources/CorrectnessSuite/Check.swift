/// One check of the list: a function of a mounted directory.
struct Check: Sendable {
    /// What it checks.
    let name: String
    /// The part of the suite it belongs to.
    let area: String
    /// The man page or standard clause that it rests on.
    let reference: String
    /// What it needs, besides a directory.
    let needs: [Need]
    /// Seconds after which it counts as hung.
    let deadline: Int
    /// It keeps a daemon that has too few threads from serving anybody: no other check runs beside it.
    let isAlone: Bool
    /// Runs with its own empty directory as the working directory.
    let body: @Sendable (CheckContext) throws -> Void
}

/// What a check needs of the machine or of the filesystem.
enum Need: Hashable, Sendable {
    /// Becoming another user.
    case root
    /// Looking at, or changing, the directory behind the mount.
    case source
    case feature(Feature)
}

/// The checks of one area.
struct CheckGroup: Sendable {
    let checks: [Check]

    init(_ area: String, _ entries: [Entry]) {
        checks = entries.map { entry in
            Check(
                name: entry.name, area: area, reference: entry.reference, needs: entry.needs, deadline: entry.deadline,
                isAlone: entry.isAlone, body: entry.body)
        }
    }

    /// A check as it is written down.
    struct Entry: Sendable {
        let name: String
        let reference: String
        let needs: [Need]
        let deadline: Int
        let isAlone: Bool
        let body: @Sendable (CheckContext) throws -> Void

        init(
            _ name: String, _ reference: String, needs: [Need] = [], deadline: Int = 30, isAlone: Bool = false,
            _ body: @escaping @Sendable (CheckContext) throws -> Void
        ) {
            self.name = name
            self.reference = reference
            self.needs = needs
            self.deadline = deadline
            self.isAlone = isAlone
            self.body = body
        }
    }
}
