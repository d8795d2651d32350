import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage
import BenchCore

/// A client of the mount: does at random what a user may try, and looks at every byte that it gets.
///
/// Whether an operation succeeds is not judged: the source decides, and it is another one a moment later. Judged is what an
/// unprivileged user learned, and whose the files are that it made.
///
/// Root's client may read what it likes, so it must not carry any of it on: it writes only to files that it has just made, and
/// goes by no name that a symbolic link could lead elsewhere.
final class Client {
    enum Operation: Int, CaseIterable {
        case open, lookThenCreate, stat, list, makeDirectory, removeDirectory, unlink, rename, exchange, link, symlink
        case makeFIFO, readLink, attributes, attributeNames, chmod, chown, truncate, times, setAttribute
        case readSlot, writeSlot, mapSlot, copySlot, lockSlot, closeSlot
    }

    let actor: Actor
    let activity: Activity
    var journal = Journal()
    var random: SplitMix64
    /// Files that it keeps open for a while: what they were opened as, they stay.
    var slots = [CInt](repeating: -1, count: 6)
    let buffer: UnsafeMutableRawBufferPointer
    /// Mapped pages are read and written by the kernel, through this: EFAULT where a load would be SIGBUS.
    var pipe: [CInt] = [-1, -1]
    private let root: String
    private let mark: [UInt8]
    private let makesFIFOs: Bool
    private let text: [UInt8]

    /// Operations by how often they are done.
    private static let deal: [Operation] = Operation.allCases.flatMap { operation in
        let weight =
            switch operation {
            case .open: 12
            case .lookThenCreate: 10
            case .readSlot, .writeSlot: 3
            case .unlink, .stat, .list, .attributes, .attributeNames, .mapSlot: 2
            default: 1
            }
        return Array(repeating: operation, count: weight)
    }
    /// What root's client leaves out: it would change what is private, or follow a link.
    private static let notForRoot: Set<Operation> = [
        .lookThenCreate, .attributes, .chmod, .chown, .truncate, .times, .setAttribute, .copySlot,
    ]

    init(_ actor: Actor, root: String, in arena: Arena, seed: UInt64, activity: Activity) throws(Errno) {
        self.actor = actor
        self.root = root
        mark = Array(arena.mark.utf8)
        makesFIFOs = arena.hasFIFOs
        text = Array("\(actor.name) wrote this. ".utf8)
        self.activity = activity
        random = SplitMix64(seed: seed)
        buffer = .allocate(byteCount: 65536, alignment: 4096)
        _ = try Errno.check { [self] in clinux_pipe2(&pipe, O_CLOEXEC | O_NONBLOCK) }
    }

    func run() {
        Client.interruptWhatBlocks()
        while !activity.isStopped {
            let operation =
                activity.isStorm && !actor.isRoot ? .lookThenCreate : Client.deal.randomElement(using: &random)!
            if actor.isRoot && Client.notForRoot.contains(operation) { continue }
            activity.during(operation.rawValue) { perform(operation) }
        }
        activity.during(Operation.closeSlot.rawValue) {
            for slot in slots where slot >= 0 { close(slot) }
        }
    }

    /// A FIFO without another end and a lock that somebody holds block in the client's own kernel code, which is as it should be: a
    /// signal ends that. What waits for a daemon does not end by it.
    private static func interruptWhatBlocks() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGALRM, &action, nil)
        let interval = timeval(tv_sec: 0, tv_usec: 200_000)
        var timer = itimerval(it_interval: interval, it_value: interval)
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }

    /// A path of the mount.
    func path() -> String { path(of: Arena.path(&random, deep: !actor.isRoot)) }

    func path(of name: String) -> String { root + "/" + name }

    /// A path for what moves names: never those that are mounted over.
    func movable() -> String {
        var path = Arena.path(&random, deep: !actor.isRoot)
        while path.hasPrefix("m") { path = Arena.path(&random, deep: !actor.isRoot) }
        return self.path(of: path)
    }

    /// Looks for a secret in what came, unless it came to root.
    func judge(_ count: Int, _ oracle: HostileSourceOracle, _ what: @autoclosure () -> String) {
        guard count > 0, !actor.isRoot, holdsMark(count) else { return }
        journal.record(oracle, "\(actor.name): \(what()) gave what only root may read")
    }

    private func holdsMark(_ count: Int) -> Bool { find(mark, in: count) }

    /// Whether the first bytes of the buffer hold these.
    func find(_ wanted: [UInt8], in count: Int) -> Bool {
        var at = 0
        while at + wanted.count <= count {
            guard let next = memchr(buffer.baseAddress! + at, CInt(wanted[0]), count - at) else { return false }
            at = next - UnsafeMutableRawPointer(buffer.baseAddress!)
            if at + wanted.count <= count && memcmp(buffer.baseAddress! + at, wanted, wanted.count) == 0 { return true }
            at += 1
        }
        return false
    }

    /// What a file of this client may hold.
    func fill(_ count: Int) {
        var at = 0
        while at < count {
            memcpy(buffer.baseAddress! + at, text, min(text.count, count - at))
            at += text.count
        }
    }

    private func perform(_ operation: Operation) {
        switch operation {
        case .open: openFile(path())
        case .lookThenCreate: lookThenCreate()
        case .readSlot, .writeSlot, .mapSlot, .copySlot, .lockSlot, .closeSlot: onSlot(operation)
        case .list: list()
        case .attributes, .attributeNames, .setAttribute: onAttribute(operation)
        default: onName(operation)
        }
    }

    private func onName(_ operation: Operation) {
        switch operation {
        case .stat:
            var status = Glibc.stat()
            _ = fstatat(AT_FDCWD, path(), &status, random.isTurn(2) ? 0 : AT_SYMLINK_NOFOLLOW)
        case .makeDirectory: mkdir(movable(), actor.directoryMode)
        case .removeDirectory: rmdir(movable())
        case .unlink: Glibc.unlink(movable())
        case .rename: Glibc.rename(movable(), movable())
        case .exchange:
            _ = clinux_renameat2(AT_FDCWD, movable(), AT_FDCWD, movable(), UInt32(CLINUX_RENAME_EXCHANGE))
        case .link: Glibc.link(movable(), movable())
        case .symlink:
            // Leads nowhere, until somebody creates a file through it, and tells its maker.
            Glibc.symlink("by-\(actor.user)-\(random.next() % 4)", movable())
        case .makeFIFO: if makesFIFOs { mkfifo(movable(), 0o666) }
        case .readLink:
            _ = Glibc.readlink(path(), buffer.baseAddress!.assumingMemoryBound(to: CChar.self), 4096)
        case .chmod: Glibc.chmod(path(), [0o644, 0o666, 0o600, 0o777].randomElement(using: &random)!)
        // Directories keep their group, which they may hand on to what is made in them.
        case .chown: lchown(path(), actor.user, gid_t.max)
        case .truncate: Glibc.truncate(path(), Int(random.next() % 16384))
        case .times: _ = cbench_set_times(AT_FDCWD, path(), [timespec(), timespec()], 0)
        default: break
        }
    }

    private func list() {
        let path = path()
        let directory = clinux_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard directory >= 0 else { return }
        defer { close(directory) }
        while true {
            let count = clinux_getdents64(directory, buffer.baseAddress, 32768)
            guard count > 0 else { return }
            judge(count, .privateDirectoryUnread, "listing \(path)")
        }
    }

    private func onAttribute(_ operation: Operation) {
        let path = path()
        let follows = !actor.isRoot && random.isTurn(2)
        switch operation {
        case .attributes:
            for name in ["user.secret", "trusted.secret"] {
                let count =
                    follows
                    ? getxattr(path, name, buffer.baseAddress, 4096) : lgetxattr(path, name, buffer.baseAddress, 4096)
                judge(count, .privateAttributeUnread, "\(name) of \(path)")
            }
        case .attributeNames:
            let names = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
            let count = follows ? listxattr(path, names, 4096) : llistxattr(path, names, 4096)
            guard count > 0, !actor.isRoot, find(Array("trusted.".utf8), in: count) else { return }
            let shown = buffer[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            journal.record(
                .trustedNamesUnlisted, "\(actor.name): the attributes of \(path) are \(shown.joined(separator: " "))")
        default:
            if random.isTurn(2) {
                removexattr(path, "user.secret")
            } else {
                setxattr(path, random.isTurn(2) ? "user.secret" : "user.own", "mine", 4, 0)
            }
        }
    }
}
