import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem

/// One step of a random sequence: a system call on a few names and descriptors, as numbers, so that a million of them cost little
/// and each can be written down as a line of a script.
struct Operation: Equatable, Sendable {
    /// What is called. The raw value is the word in a script.
    enum Kind: String, CaseIterable, Sendable {
        case create, exclusive, mkdir, mknod, symlink, link, unlink, rmdir, rename
        case stat, list, readlink, access, chmod, chown, times, truncate
        case write, append, read
        case setxattr, getxattr, removexattr, listxattr
        case open, pread, pwrite, ftruncate, fstat, fallocate, fsync, copyrange, flock, lock, close
        case user
    }

    var kind: Kind
    /// A name's number in ``OperationNames``, or the slot of a descriptor.
    var subject = 0
    /// A second name or slot.
    var other = 0
    /// Offset, mode, flags or seed: what the kind says.
    var first: Int64 = 0
    var second: Int64 = 0
    var third: Int64 = 0

    /// The slots of descriptors that stay open between operations.
    static let slots = 4
}

/// The names that random sequences use: few, so that they meet, and on three levels.
enum OperationNames {
    static let all: [Path] = {
        var names: [Path] = ["a", "b", "c", "d"]
        for directory: Path in ["a", "b", "c"] { for name: Path in ["x", "y", "z"] { names.append(directory / name) } }
        for directory: Path in ["a/x", "b/x"] { for name: Path in ["u", "v"] { names.append(directory / name) } }
        names.append(Path(bytes: [0xff, 0x80, 0x20]))
        names.append("a" / Path(bytes: [UInt8](repeating: UInt8(ascii: "l"), count: 255)))
        return names
    }()

    /// The targets of symbolic links, by number.
    static let targets: [Path] = ["a", "x", "../b", "nowhere", "c/y", "."]
    static let attributes: [Path] = ["user.one", "user.two", "user.a-longer-name"]
    /// Users that a sequence acts as: root and one without privileges.
    static let users: [UInt32] = [0, 60001]
    /// Modes of fallocate(2), as far as FUSE carries them.
    static let allocations: [Int64] = [
        0, 1, Int64(CBENCH_FALLOC_PUNCH_HOLE | CBENCH_FALLOC_KEEP_SIZE), Int64(CBENCH_FALLOC_ZERO_RANGE),
        Int64(CBENCH_FALLOC_ZERO_RANGE | CBENCH_FALLOC_KEEP_SIZE),
    ]
}

extension Operation {
    /// What a filesystem must have for this to mean anything.
    var feature: Feature? {
        switch kind {
        case .rename: first == 1 ? .noReplace : first == 2 ? .exchange : nil
        case .fallocate: third & 2 != 0 ? .punchHole : third & 16 != 0 ? .zeroRange : .allocation
        case .setxattr, .getxattr, .removexattr, .listxattr: .userAttributes
        case .copyrange: .copyRange
        case .flock: .flockLocks
        case .lock: .recordLocks
        default: nil
        }
    }

    /// Draws the next operation.
    static func random(_ random: inout SplitMix64, asRoot: Bool) -> Operation {
        var kind = kinds[random.below(kinds.count)]
        // A sync waits for the disk: often enough once in a while.
        if kind == .fsync && random.below(20) != 0 { kind = .fstat }
        var operation = Operation(kind: kind)
        operation.subject = name(&random)
        operation.other = name(&random)
        switch kind {
        case .create, .exclusive, .mkdir, .mknod, .chmod:
            operation.first = modes[random.below(modes.count)]
        case .symlink: operation.first = Int64(random.below(OperationNames.targets.count))
        case .rename: operation.first = Int64([0, 0, 0, 1, 2, 2][random.below(6)])
        case .access: operation.first = Int64(random.below(8))
        case .chown:
            operation.first = Int64([0, 60001, -1][random.below(3)])
            // At least one id: a chown(2) that keeps both comes to a FUSE daemon as a request for nothing.
            operation.second = operation.first == -1 ? 60010 : Int64([0, 60001, 60010, -1][random.below(4)])
        case .times:
            operation.first = Int64(1 + random.below(100_000))
            operation.second = Int64(random.below(1_000_000_000))
        case .truncate: operation.first = offset(&random)
        case .write, .append, .read:
            operation.first = offset(&random)
            operation.second = length(&random)
            operation.third = Int64(random.below(200))
        case .setxattr:
            operation.other = random.below(OperationNames.attributes.count)
            operation.first = Int64(random.below(random.below(8) == 0 ? 2000 : 40))
            operation.second = Int64(random.below(3))
            operation.third = Int64(random.below(200))
        case .getxattr, .removexattr: operation.other = random.below(OperationNames.attributes.count)
        case .open:
            operation.other = random.below(slots)
            operation.first = openFlags[random.below(openFlags.count)]
        case .pread, .pwrite, .ftruncate, .fallocate, .copyrange:
            operation.subject = random.below(slots)
            operation.other = random.below(slots)
            operation.first = offset(&random)
            operation.second = length(&random)
            operation.third = Int64(random.below(200))
            if kind == .fallocate {
                operation.third = OperationNames.allocations[random.below(OperationNames.allocations.count)]
                if random.below(2) == 0 {
                    operation.first &= ~4095
                    operation.second = max(4096, operation.second & ~4095)
                }
            }
            if kind == .copyrange { operation.third = offset(&random) }
        case .flock:
            operation.subject = random.below(slots)
            operation.first = Int64([LOCK_SH, LOCK_EX, LOCK_EX, LOCK_UN][random.below(4)])
        case .lock:
            operation.subject = random.below(slots)
            operation.first = Int64(random.below(4) * 10)
            operation.second = Int64(random.below(3) * 10)
            operation.third = Int64([F_RDLCK, F_WRLCK, F_WRLCK, F_UNLCK][random.below(4)])
        case .fstat, .fsync, .close: operation.subject = random.below(slots)
        case .user: operation.first = asRoot ? Int64(OperationNames.users[random.below(2)]) : Int64(getuid())
        default: break
        }
        return operation.normalised
    }

    /// Without the numbers that its kind does not use.
    private var normalised: Operation {
        var result = self
        switch kind {
        case .rename, .link, .setxattr, .getxattr, .removexattr, .open, .copyrange: break
        default: result.other = 0
        }
        switch kind {
        case .fstat, .fsync, .close, .user: if kind == .user { result.subject = 0 }
        case .ftruncate, .flock: (result.second, result.third) = (0, 0)
        case .pread, .read: result.third = 0
        case .append: result.first = 0
        default: break
        }
        return result
    }

    /// Each kind as often as it shall be drawn.
    private static let kinds: [Kind] = {
        let weights: [Kind: Int] = [
            .create: 6, .exclusive: 2, .mkdir: 4, .mknod: 1, .symlink: 2, .link: 3, .unlink: 4, .rmdir: 2, .rename: 6,
            .stat: 5, .list: 2, .readlink: 1, .access: 2, .chmod: 3, .chown: 2, .times: 2, .truncate: 3, .write: 6,
            .append: 3, .read: 6, .setxattr: 2, .getxattr: 2, .removexattr: 1, .listxattr: 1, .open: 5, .pread: 6,
            .pwrite: 6, .ftruncate: 3, .fstat: 3, .fallocate: 2, .fsync: 1, .copyrange: 1, .flock: 5, .lock: 5,
            .close: 2,
            .user: 1,
        ]
        return Kind.allCases.flatMap { [Kind](repeating: $0, count: weights[$0] ?? 1) }
    }()

    private static let modes: [Int64] = [
        0o644, 0o755, 0o600, 0o777, 0o666, 0o444, 0o000, 0o2775, 0o4755, 0o1777, 0o700,
    ]
    private static let openFlags: [Int64] = [
        O_RDONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_TRUNC, O_WRONLY, O_RDWR | O_APPEND,
        O_RDONLY | O_NOFOLLOW,
        O_RDWR | O_CREAT | O_EXCL, O_WRONLY | O_APPEND | O_CREAT,
    ].map(Int64.init)

    /// Mostly the upper levels: what is below them exists less often.
    private static func name(_ random: inout SplitMix64) -> Int {
        random.below(2) == 0 ? random.below(4) : random.below(OperationNames.all.count)
    }

    /// Around block borders, and anywhere.
    private static func offset(_ random: inout SplitMix64) -> Int64 {
        switch random.below(4) {
        case 0: 0
        case 1: Int64(random.below(8) * 4096)
        case 2: Int64(max(0, random.below(8) * 4096 + random.below(5) - 2))
        default: Int64(random.below(40_000))
        }
    }

    private static func length(_ random: inout SplitMix64) -> Int64 {
        switch random.below(8) {
        case 0: Int64(random.below(20_000))
        case 1, 2: 4096
        default: Int64(1 + random.below(600))
        }
    }
}
