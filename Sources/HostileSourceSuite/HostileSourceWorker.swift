import CBench
import FoundationEssentials
import Glibc
import LinuxSystem
public import SystemPackage
import BenchCore

/// A process of a run: a client of the mount, or the adversary behind it.
public struct HostileSourceWorker: Codable, Sendable {
    enum Role: Codable, Sendable {
        /// By its place in ``Actor/all``.
        case client(Int)
        case adversary
    }

    let role: Role
    let arena: Arena
    /// Where clients work: the mount, or as a control the source itself.
    let root: String
    let seed: UInt64
    /// The file of its ``Activity``.
    let activity: String

    /// As the command line has it.
    var argument: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Strings and numbers only: encoding them cannot fail.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Reads ``argument``; nil if it is something else.
    public init?(_ argument: String) {
        guard let worker = try? JSONDecoder().decode(HostileSourceWorker.self, from: Data(argument.utf8)) else {
            return nil
        }
        self = worker
    }

    init(role: Role, arena: Arena, root: String, seed: UInt64, activity: String) {
        self.role = role
        self.arena = arena
        self.root = root
        self.seed = seed
        self.activity = activity
    }

    /// Works until the bench says stop.
    ///
    /// - Throws: the errno of what it could not begin with.
    public func run() throws(Errno) {
        let activity = try Activity(activity)
        umask(0)
        switch role {
        case .adversary:
            cbench_die_with_parent()
            try Adversary(arena, seed: seed, activity: activity).run()
        case .client(let index):
            let actor = Actor.all[index]
            if !actor.isRoot {
                _ = try Errno.check {
                    cbench_become(actor.user, actor.group, actor.supplementary.count, actor.supplementary, -1)
                }
            }
            // Becoming another user resets it.
            cbench_die_with_parent()
            try Client(actor, root: root, in: arena, seed: seed, activity: activity).run()
        }
    }
}
