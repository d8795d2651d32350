import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The filesystems that the source spans, by device number and mount, in order of discovery.
///
/// By mount too: the number of a device is used again once it is unmounted, and through another mount of the same
/// filesystem other things are allowed.
final class FileSystemTable: Sendable {
    /// The source directory's own: nearly every file's.
    let source: BackingFileSystem
    private let sourceKey: Key
    private let usesHandles: Bool
    /// The process's `/proc/self/fd`.
    private let descriptors: CInt
    private let sweeper: MountSweeper
    private let others = Lock<Others>(Others())

    private struct Key: Hashable {
        let device: UInt64
        let mount: UInt64

        init(_ status: borrowing FileStatus) {
            device = UInt64(status.stx_dev_major) << 32 | UInt64(status.stx_dev_minor)
            mount = status.stx_mnt_id
        }
    }

    private struct Others {
        var byKey: [Key: BackingFileSystem] = [:]
        var byIndex: [Int: BackingFileSystem] = [:]
        var mounts: [UInt64: BackingMount] = [:]
        var lastIndex = 0
    }

    /// - Parameter mount: the source's.
    init(
        mount: BackingMount, root: CInt, status: borrowing FileStatus, usesHandles: Bool, descriptors: CInt,
        sweeper: MountSweeper
    ) {
        source = BackingFileSystem(index: 0, mount: mount, member: root, usesHandles: usesHandles)
        sourceKey = Key(status)
        self.usesHandles = usesHandles && source.hasHandles
        self.descriptors = descriptors
        self.sweeper = sweeper
    }

    /// The filesystem of a file; nil if none of its files has been seen.
    func find(_ status: borrowing FileStatus) -> BackingFileSystem? {
        let key = Key(status)
        if key == sourceKey { return source }
        return others.withLock { $0.byKey[key] }
    }

    /// The filesystem of a file, new or known; `member` is a descriptor of that file.
    ///
    /// - Parameter place: where the file was met: where its mount is, unless that is known.
    func findOrAdd(
        _ status: borrowing FileStatus, member: CInt, at place: BackingMount.Place?
    ) -> BackingFileSystem {
        if let known = find(status) { return known }
        let key = Key(status)
        var (index, known) = others.withLock { others in
            others.lastIndex += 1
            return (others.lastIndex, others.mounts[key.mount])
        }
        if key.mount == sourceKey.mount { known = source.mount }
        let mount = known ?? makeMount(key.mount, at: place)
        let new = BackingFileSystem(index: index, mount: mount, member: member, usesHandles: usesHandles)
        let (present, isNewMount) = others.withLock { others -> (BackingFileSystem, Bool) in
            if let present = others.byKey[key] { return (present, false) }
            others.byKey[key] = new
            others.byIndex[index] = new
            if known == nil { others.mounts[key.mount] = mount }
            return (new, known == nil)
        }
        if isNewMount { sweeper.add(mount) }
        return present
    }

    private func makeMount(_ id: UInt64, at place: BackingMount.Place?) -> BackingMount {
        // A file that was not met by its name is on a mount that is known; of any other one nothing can be opened.
        guard let place else { return BackingMount(id: id, descriptor: -1, cache: DescriptorCache(capacity: 0)) }
        return BackingMount(
            id: id, at: place, descriptors: descriptors, sourceCache: source.mount.cache, sweeper: sweeper)
    }

    /// By ``BackingFileSystem/index``.
    subscript(index: Int) -> BackingFileSystem? {
        if index == 0 { return source }
        return others.withLock { $0.byIndex[index] }
    }

    /// All of them, for syncfs(2).
    var all: [BackingFileSystem] {
        [source] + others.withLock { $0.byIndex.values }
    }

    /// Nothing is closed in the background any more.
    func stop() {
        sweeper.stop()
    }
}
