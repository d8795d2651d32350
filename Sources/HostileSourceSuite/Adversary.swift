import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage
import BenchCore

/// Changes the source behind the daemon, as root and without a pause, and watches over what is private in it.
///
/// What makes its judgement sure on a correct daemon, whatever the kernel caches: a file with a secret in it never was anybody
/// else's; its mode and owner never change; and no file of a client's is given to somebody else.
final class Adversary {
    let arena: Arena
    let activity: Activity
    var random: SplitMix64
    var journal = Journal()
    var secrets: [Secret] = []
    var lastMount = ContinuousClock.now
    private var lastSecret = 0
    private var lastStaged = 0
    /// So many secrets are watched at a time; the file of one that is let go may give its inode number to another.
    private static let watched = 96
    /// Whom the adversary's own files may belong to, besides root and the clients.
    static let nobody: uid_t = 60009

    enum Change: Int, CaseIterable {
        case secret, secretInPlace, secretAfterAbsence, privateDirectory, publicFile, directory, link, fifo, device,
            socket
        case exchange, move, remove, chmod, chown, truncate, mount, look, flicker
    }

    private static let deal: [Change] = Change.allCases.flatMap { change in
        let weight =
            switch change {
            case .secret, .secretInPlace, .secretAfterAbsence, .privateDirectory, .link, .exchange, .move: 5
            case .remove, .publicFile: 9
            case .fifo, .directory: 4
            default: 2
            }
        return Array(repeating: change, count: weight)
    }

    init(_ arena: Arena, seed: UInt64, activity: Activity) {
        self.arena = arena
        self.activity = activity
        random = SplitMix64(seed: seed)
    }

    /// - Throws: the errno of a secret that could not be made.
    func run() throws(Errno) {
        var failure: Errno?
        while !activity.isStopped && failure == nil {
            let change = activity.isStorm ? .flicker : Adversary.deal.randomElement(using: &random)!
            activity.during(change.rawValue) {
                do throws(Errno) { try make(change) } catch { failure = error }
            }
            // Sometimes clients shall have a moment to meet what is there.
            if random.isTurn(8) { usleep(UInt32(random.next() % 1500)) }
        }
        if let failure { throw failure }
        unmountAll()
        for secret in secrets { check(secret) }
        SourceSurvey(arena.source).walk { journal.record(.createdIsMine, $0) }
    }

    private func make(_ change: Change) throws(Errno) {
        if change == .mount { return mount() }
        if change == .look { return secrets.randomElement(using: &random).map(check) ?? () }
        if change == .flicker { return try flicker() }
        guard let place = Place(&random, in: arena) else { return }
        switch change {
        case .secret: try placeSecret(place)
        case .secretInPlace: try makeSecret(in: place)
        case .secretAfterAbsence:
            place.clear(into: self)
            usleep(UInt32(random.next() % 1500))
            random.isTurn(2) ? try makeSecret(in: place) : try placeSecret(place)
        case .privateDirectory: try placePrivateDirectory(place)
        case .publicFile: placePublicFile(place)
        case .directory: placeDirectory(place)
        case .link, .fifo, .device, .socket: placeOther(change, place)
        case .exchange, .move:
            guard let other = Place(&random, in: arena) else { return }
            let flags = change == .exchange ? CLINUX_RENAME_EXCHANGE : 0
            clinux_renameat2(place.directory, place.name, other.directory, other.name, UInt32(flags))
            if change == .exchange && random.isTurn(40) { exchangeDirectories() }
        case .remove: place.clear(into: self)
        default: changeInode(place, change)
        }
    }

    /// A path in the staging folder that is used once.
    func stagedPath() -> String {
        lastStaged += 1
        return "\(arena.staging)/\(lastStaged)"
    }

    private func nextSecret() -> [UInt8] {
        lastSecret += 1
        return arena.secret(lastSecret)
    }

    /// Watches over a new secret in this empty file; lets the oldest one go.
    private func watch(_ descriptor: CInt) throws(Errno) {
        secrets.append(try Secret(descriptor, nextSecret()))
        if secrets.count > Adversary.watched { check(secrets.removeFirst()) }
    }

    private func check(_ secret: Secret) {
        guard let change = secret.change() else { return }
        journal.record(.privateFileUnchanged, "a file that is root's alone was changed: \(change)")
    }

    /// Makes a private file elsewhere and moves it to its place.
    private func placeSecret(_ place: Place) throws(Errno) {
        let path = stagedPath()
        try watch(try Adversary.create(AT_FDCWD, path))
        if random.isTurn(8) {
            // Two names: whoever takes one away has not got rid of it.
            linkat(AT_FDCWD, path, place.directory, place.name, 0)
        }
        place.put(path, from: self)
    }

    /// Lets something that nobody may open come and go faster than a request takes, in place of nothing or of a public file.
    private func flicker() throws(Errno) {
        guard let place = Place(hotIn: arena) else { return }
        place.clear(into: self)
        let isExchange = random.isTurn(2)
        if isExchange { placePublicFile(place) }
        let path = stagedPath()
        switch random.next() % 4 {
        case 0 where arena.hasFIFOs: mkfifo(path, 0o666)
        case 1: symlink("\(arena.outside)/secret", path)
        default: try watch(try Adversary.create(AT_FDCWD, path))
        }
        place.flicker(path, isExchange: isExchange)
    }

    /// Makes a private file where clients can see it grow.
    private func makeSecret(in place: Place) throws(Errno) {
        guard let descriptor = try? Adversary.create(place.directory, place.name) else { return }
        try watch(descriptor)
    }

    private static func create(_ directory: CInt, _ name: String) throws(Errno) -> CInt {
        try Errno.check {
            clinux_openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
    }

    /// Only the directory protects what is in it.
    private func placePrivateDirectory(_ place: Place) throws(Errno) {
        let path = stagedPath()
        mkdir(path, 0o700)
        let descriptor = try Errno.check {
            clinux_openat(AT_FDCWD, "\(path)/\(Arena.inside)", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        }
        try watch(descriptor)
        close(creat("\(path)/\(arena.mark)-name", 0o644))
        place.put(path, from: self)
    }

    private func placePublicFile(_ place: Place) {
        let path = stagedPath()
        let file = clinux_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if file < 0 { return }
        pwrite(file, "this is for everybody", 21, Int(random.next() % 8192))
        if random.isTurn(3) { fsetxattr(file, "trusted.note", "x", 1, 0) }
        if random.isTurn(3), let actor = Actor.users.randomElement(using: &random) {
            fchown(file, actor.user, actor.group)
        }
        close(file)
        place.put(path, from: self)
    }

    private func placeDirectory(_ place: Place) {
        let path = stagedPath()
        mkdir(path, 0o777)
        close(creat(path + "/n0", 0o666))
        place.put(path, from: self)
    }

    private func placeOther(_ change: Change, _ place: Place) {
        let path = stagedPath()
        switch change {
        case .link:
            let above = String(repeating: "../", count: place.depth + 1)
            let targets = [
                "\(arena.outside)/secret", "\(above)outside/secret", "\(above)outside",
                "\(above)outside/closed/\(Arena.inside)", "\(above)staging", Arena.names[0], "..", "/",
            ]
            symlink(targets.randomElement(using: &random)!, path)
        case .fifo: if arena.hasFIFOs { mkfifo(path, 0o666) }
        case .device: clinux_mknodat(AT_FDCWD, path, S_IFCHR | 0o600, 1, 3)
        default: clinux_mknodat(AT_FDCWD, path, S_IFSOCK | 0o666, 0, 0)
        }
        place.put(path, from: self)
    }

    /// The directories that all paths begin with change places.
    private func exchangeDirectories() {
        let names = Arena.directories.shuffled(using: &random)
        clinux_renameat2(
            AT_FDCWD, "\(arena.source)/\(names[0])", AT_FDCWD, "\(arena.source)/\(names[1])",
            UInt32(CLINUX_RENAME_EXCHANGE))
    }

    /// Changes what an inode allows or holds, by a descriptor: only what is neither private nor a client's.
    private func changeInode(_ place: Place, _ change: Change) {
        let file = clinux_openat(place.directory, place.name, CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
        guard file >= 0 else { return }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT != S_IFLNK else { return }
        let isPrivate = status.st_uid == 0 && [0o600, 0o700].contains(status.st_mode & 0o777)
        if isPrivate { return }
        let path = "/proc/self/fd/\(file)"
        switch change {
        case .chmod:
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            let modes: [mode_t] = isDirectory ? [0o777, 0o755, 0o1777] : [0o666, 0o644, 0o400, 0, 0o640, 0o755]
            let isSigned = isDirectory && Actor.users.contains { $0.directoryMode == status.st_mode & 0o777 }
            if !isSigned { Glibc.chmod(path, modes.randomElement(using: &random)!) }
        case .chown:
            guard status.st_uid == 0 || status.st_uid == Adversary.nobody else { return }
            let actor = Actor.users.randomElement(using: &random)!
            let (user, group) = random.isTurn(2) ? (actor.user, actor.group) : (Adversary.nobody, Adversary.nobody)
            // A directory may hand its group on to what clients make in it.
            let keepsGroup = status.st_mode & S_IFMT == S_IFDIR
            Glibc.chown(path, user, keepsGroup ? gid_t.max : group)
        default:
            if status.st_mode & S_IFMT == S_IFREG { Glibc.truncate(path, Int(random.next() % 16384)) }
        }
    }
}
