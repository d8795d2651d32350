import LinuxSystem
import CBench
import CLinux
import Glibc
import BenchCore

/// A name in the source that the adversary is about to change, held by its directory: the way there leads through no symbolic link.
final class Place {
    let directory: CInt
    let name: String
    /// Directories between the source and the name.
    let depth: Int

    /// Draws one; nil if what should be its directory is something else now.
    init?(_ random: inout SplitMix64, in arena: Arena) {
        let top = Arena.directories.randomElement(using: &random)!
        let outer = Arena.names.randomElement(using: &random)!
        let flags = CLINUX_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let above = clinux_openat(AT_FDCWD, "\(arena.source)/\(top)", flags, 0)
        guard above >= 0 else { return nil }
        if random.isTurn(4) {
            defer { close(above) }
            let inner = clinux_openat(above, outer, flags, 0)
            guard inner >= 0 else { return nil }
            (directory, name, depth) = (inner, Arena.innerNames.randomElement(using: &random)!, 2)
        } else {
            (directory, name, depth) = (above, outer, 1)
        }
    }

    /// The name that changes faster than any other.
    init?(hotIn arena: Arena) {
        let flags = CLINUX_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        directory = clinux_openat(AT_FDCWD, "\(arena.source)/\(Arena.directories[0])", flags, 0)
        (name, depth) = (Arena.hotName, 1)
        if directory < 0 { return nil }
    }

    deinit { if directory >= 0 { close(directory) } }

    /// Moves something there from the staging folder, over what is there or in exchange for it.
    func put(_ staged: String, from adversary: Adversary) {
        if adversary.random.isTurn(3) {
            clear(into: adversary)
            if adversary.random.isTurn(2) { usleep(UInt32(adversary.random.next() % 1000)) }
        }
        if clinux_renameat2(AT_FDCWD, staged, directory, name, 0) == 0 { return }
        // A directory over a file, a file over a directory, or a directory that is not empty.
        clinux_renameat2(AT_FDCWD, staged, directory, name, UInt32(CLINUX_RENAME_EXCHANGE))
        cbench_remove_tree(AT_FDCWD, staged)
    }

    /// Something staged comes and goes, or changes places with what is there, many times.
    func flicker(_ staged: String, isExchange: Bool) {
        let flags = UInt32(isExchange ? CLINUX_RENAME_EXCHANGE : CLINUX_RENAME_NOREPLACE)
        for _ in 0..<300 {
            // Somebody else may have taken it away.
            guard clinux_renameat2(AT_FDCWD, staged, directory, name, flags) == 0,
                clinux_renameat2(directory, name, AT_FDCWD, staged, flags) == 0
            else { break }
        }
        cbench_remove_tree(AT_FDCWD, staged)
    }

    /// Takes away what is there.
    func clear(into adversary: Adversary) {
        if unlinkat(directory, name, 0) == 0 { return }
        let path = adversary.stagedPath()
        if clinux_renameat2(directory, name, AT_FDCWD, path, 0) == 0 { cbench_remove_tree(AT_FDCWD, path) }
    }
}
