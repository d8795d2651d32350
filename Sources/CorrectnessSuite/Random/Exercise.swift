import Glibc

/// A kind of work that a daemon does for its clients, of which a suite counts how often it was done and checked: a fault that
/// strikes seldom wants many chances.
enum Exercise: String, Codable, CaseIterable, Sendable {
    case lookup, read, write, lock
    case attributes, names, other

    /// The kinds that a run must have had often enough for a fault that strikes once in `rate`.
    static let needed: [Exercise] = [.lookup, .read, .write, .lock]

    /// Of a fault that strikes once in N at random, this many chances show it with 95 %: 1 - (1 - 1/N)^n for n = 3 N.
    ///
    /// - Parameter count: at least 3.
    static func rate(caughtBy count: Int) -> Int {
        Int((1 / (1 - pow(0.05, 1 / Double(count)))).rounded(.down))
    }

    /// `12310 reads (1 in 4109)`.
    static func words(_ counts: [Exercise: Int]) -> String {
        needed.map { kind in
            let count = counts[kind] ?? 0
            return "\(count) \(kind.rawValue)s" + (count < 3 ? "" : " (1 in \(rate(caughtBy: count)))")
        }.joined(separator: ", ")
    }
}

extension Operation {
    /// What the daemon is asked for.
    var exercise: Exercise {
        switch kind {
        case .read, .pread: .read
        case .write, .append, .pwrite: .write
        case .flock, .lock: .lock
        case .chmod, .chown, .times, .truncate, .ftruncate, .fstat, .setxattr, .getxattr, .removexattr, .listxattr,
            .stat, .access, .readlink:
            .attributes
        case .create, .exclusive, .mkdir, .mknod, .symlink, .link, .unlink, .rmdir, .rename, .list: .names
        case .open, .fallocate, .fsync, .copyrange, .close, .user: .other
        }
    }
}
