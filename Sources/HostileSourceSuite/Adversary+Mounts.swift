import CLinux
import Glibc
import BenchCore

/// Mounts over names of the source. The run's ledger has the folder that they lie in, so they go with it, come what may.
extension Adversary {
    // mount(2) and umount2(2), which Swift cannot import as macros.
    private static let bind: UInt = 4096
    private static let detachNotFollowing: CInt = 2 | 8

    private var directory: String { "\(arena.source)/\(Arena.mountTargets.directory)" }
    private var file: String { "\(arena.source)/\(Arena.mountTargets.file)" }

    /// Mounts something private over a public directory or file, or takes it away. Not often: each one stops all other mounts and
    /// unmounts of the machine for a moment.
    func mount() {
        if ContinuousClock.now - lastMount < .milliseconds(50) { return }
        lastMount = .now
        let isDirectory = random.isTurn(2)
        let target = isDirectory ? directory : file
        if !random.isTurn(2) {
            umount2(target, Adversary.detachNotFollowing)
        } else if isDirectory && random.isTurn(4) {
            Glibc.mount("none", target, "tmpfs", 0, "mode=0700,size=64k")
        } else {
            Glibc.mount(isDirectory ? arena.mountedDirectory : arena.mountedFile, target, nil, Adversary.bind, nil)
        }
    }

    func unmountAll() {
        for target in [directory, file] {
            // Several may lie one over the other; EINVAL says that none is left.
            while umount2(target, Adversary.detachNotFollowing) == 0 {}
        }
    }
}
