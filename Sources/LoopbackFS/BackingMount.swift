import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// One mount that the source spans: the way to files by their handles, and with it what the mount forbids (`ro`).
///
/// The source's own is held open. Any other is opened by its mount point when it is needed, and closed with all of its
/// files that are not in use soon after: umount(8) must not find it busy because the kernel still remembers what was
/// looked at.
final class BackingMount: Sendable {
    /// Unique in the life of the system where the kernel has such numbers (Linux 6.8).
    let id: UInt64
    /// Descriptors of the mount's inodes.
    let cache: DescriptorCache
    /// Held open, for reading: open_by_handle_at(2) and syncfs(2) refuse O_PATH. -1 for those that are not.
    private let own: CInt
    private let other: Other?

    private struct Other {
        /// The process's `/proc/self/fd`.
        let descriptors: CInt
        /// Where there is most room to be made for one more descriptor.
        let sourceCache: DescriptorCache
        let sweeper: MountSweeper
        let state: Lock<State>
    }

    private struct State {
        var point: MountPoint
        var descriptor: CInt = -1
        var uses = 0
        var wasUsed = false
    }

    /// Where a mount is: an entry of a directory.
    // Safe: lives while the request that names the entry is handled; what is kept is a copy (`MountPoint`).
    @safe
    struct Place {
        let name: UnsafePointer<CChar>
        let directory: Inode
    }

    /// A ``Place`` that is kept.
    private struct MountPoint {
        let directory: Inode
        /// With NUL.
        let name: [CChar]

        init(_ place: Place) {
            directory = place.directory
            name = unsafe Array(UnsafeBufferPointer(start: place.name, count: strlen(place.name) + 1))
        }
    }

    /// The source's own mount; `descriptor` is taken over, -1 if it could not be had.
    init(id: UInt64, descriptor: CInt, cache: DescriptorCache) {
        self.id = id
        self.cache = cache
        own = descriptor
        other = nil
    }

    /// Another mount.
    init(id: UInt64, at place: Place, descriptors: CInt, sourceCache: DescriptorCache, sweeper: MountSweeper) {
        self.id = id
        cache = DescriptorCache(capacity: min(sourceCache.capacity, 1024))
        own = -1
        other = Other(
            descriptors: descriptors, sourceCache: sourceCache, sweeper: sweeper,
            state: Lock(State(point: MountPoint(place))))
    }

    deinit {
        if own >= 0 { close(own) }
        let opened = other?.state.withLock { $0.descriptor } ?? -1
        if opened >= 0 { close(opened) }
    }

    /// It was met here, perhaps after it was moved.
    func met(at place: Place) {
        other?.state.withLock { state in
            if state.point.directory === place.directory, unsafe strcmp(state.point.name, place.name) == 0 { return }
            state.point = MountPoint(place)
        }
    }

    /// The right to use a descriptor of the mount. Ends with its scope.
    struct Use: ~Copyable {
        let descriptor: CInt
        private let mount: BackingMount

        fileprivate init(_ mount: BackingMount, _ descriptor: CInt) {
            self.mount = mount
            self.descriptor = descriptor
        }

        deinit {
            mount.other?.state.withLock { $0.uses -= 1 }
        }
    }

    /// - Throws: ESTALE if it is not mounted there any more, or was never to be had.
    func use() throws(Errno) -> Use {
        guard let other else {
            guard own >= 0 else { throw .staleNFSFileHandle }
            return Use(self, own)
        }
        func used(_ state: inout State) -> CInt {
            state.uses += 1
            state.wasUsed = true
            return state.descriptor
        }
        let (present, point) = other.state.withLock { state in
            (state.descriptor >= 0 ? used(&state) : -1, state.point)
        }
        if present >= 0 { return Use(self, present) }
        let opened = try open(point, other)
        let (descriptor, surplus) = other.state.withLock { state -> (CInt, CInt) in
            if state.descriptor >= 0 { return (used(&state), opened) }
            state.descriptor = opened
            return (used(&state), -1)
        }
        if surplus >= 0 { close(surplus) }
        other.sweeper.wake()
        return Use(self, descriptor)
    }

    private func open(_ point: MountPoint, _ other: Other) throws(Errno) -> CInt {
        let directory = try point.directory.pin()
        let flags = CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC
        let path = try makingRoom { () throws(Errno) in
            try Errno.check { unsafe clinux_openat(directory.descriptor, point.name, flags, 0) }
        }
        defer { close(path) }
        let status = try Attributes.of(path)
        guard status.stx_mnt_id == id else { throw .staleNFSFileHandle }
        let readable = O_RDONLY | O_NONBLOCK | O_CLOEXEC
        return try makingRoom { () throws(Errno) in
            switch status.fileType {
            case FileStatus.directoryType:
                return try Errno.check { unsafe clinux_openat(path, ".", readable | O_DIRECTORY, 0) }
            case FileStatus.regularType:
                return try unsafe DescriptorPath(path).withCString { path throws(Errno) in
                    try Errno.check { unsafe clinux_openat(other.descriptors, path, readable, 0) }
                }
            default: throw .staleNFSFileHandle
            }
        }
    }

    /// Keeps a descriptor of one of its inodes open for a while, pinned; nil if there is no room.
    func lend(_ descriptor: CInt) -> DescriptorCache.Slot? {
        defer { other?.sweeper.wake() }
        return cache.insert(descriptor)
    }

    /// Calls `body`, which opens something; while the process has no descriptors left, closes some of those that are kept
    /// for later and tries again.
    func makingRoom<Value>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        while true {
            do throws(Errno) {
                return try body()
            } catch .tooManyOpenFiles where cache.shrink(by: 64) > 0 || other?.sourceCache.shrink(by: 64) ?? 0 > 0 {
                continue
            }
        }
    }

    /// Closes what was not used since the last time.
    ///
    /// - Returns: whether something is still open.
    func sweep() -> Bool {
        let hasFiles = cache.sweep()
        guard let other else { return hasFiles }
        let (isOpen, unused) = other.state.withLock { state -> (Bool, CInt) in
            if state.uses > 0 || state.wasUsed {
                state.wasUsed = false
                return (state.descriptor >= 0, -1)
            }
            defer { state.descriptor = -1 }
            return (false, state.descriptor)
        }
        if unused >= 0 { close(unused) }
        return hasFiles || isOpen
    }
}
