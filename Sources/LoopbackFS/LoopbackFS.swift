import CFUSE
import CLinux
public import FUSEProtocol
public import FUSEServer
import Glibc
import LinuxSystem
public import Logging
import Synchronization
import SystemPackage

/// Serves a directory as it is, at full fidelity: every operation ends at the same file of the source.
///
/// The source is never escaped: every path is one name, checked, relative to a descriptor, and followed by nothing.
/// Files are created as the caller. Which transport carries the requests is unknown here.
public final class LoopbackFS: FileSystem {
    let configuration: Configuration
    let logger: Logger
    /// The process's `/proc/self/fd`, of O_PATH: how descriptors are reopened.
    let descriptors: CInt
    let credentials: Credentials
    let fileSystems: FileSystemTable
    let cache: DescriptorCache
    let inodes = InodeTable()
    let root: Inode
    let files = HandleTable<OpenFile>()
    let directories = HandleTable<OpenDirectory>()
    let locks = LockTable()
    let waits = InterruptibleWaits()
    let passthroughFiles = PassthroughFiles()
    /// How to have the kernel drop the attributes that it keeps of a node. Set once, before the first request.
    private let invalidation = Lock<(@Sendable (UInt64) -> Void)?>(nil)
    private let forgotten = ForgottenHandles()
    /// Node ids of files whose inode number is too large for one.
    private let sequence = Lock<Sequence>(Sequence())
    /// Most inodes that keep a descriptor each, where there are no file handles.
    private let keptLimit: Int
    private let warnedOfLimit = Atomic<Bool>(false)
    /// What INIT agreed on.
    let agreed = Atomic<UInt64>(0)

    private struct Sequence {
        var numbers: [FileIdentity: UInt64] = [:]
        var last: UInt64 = 0
    }

    /// Opens the source and finds out what its filesystem can do.
    ///
    /// To be made in the process that serves: descriptors are reopened through its `/proc/self/fd`.
    public init(_ configuration: Configuration, logger: Logger) throws(SourceError) {
        self.configuration = configuration
        self.logger = logger
        let source = configuration.source
        let rootDescriptor: CInt
        let status: FileStatus
        do throws(Errno) {
            let flags = CLINUX_O_PATH | O_DIRECTORY | O_CLOEXEC
            let opened = try Errno.check { source.withPlatformString { clinux_openat(AT_FDCWD, $0, flags, 0) } }
            rootDescriptor = LoopbackFS.withAccessTimes(configuration.accessTimes, opened)
            status = try Attributes.of(rootDescriptor)
        } catch {
            throw .source(source, error)
        }
        do throws(Errno) {
            let flags = CLINUX_O_PATH | O_DIRECTORY | O_CLOEXEC
            descriptors = try Errno.check { clinux_openat(AT_FDCWD, "/proc/self/fd", flags, 0) }
        } catch {
            close(rootDescriptor)
            throw .procfs(error)
        }
        credentials = Credentials(descriptors: descriptors)
        let usesHandles = configuration.fileHandles && Capability.dacReadSearch.isHeld
        fileSystems = FileSystemTable(root: rootDescriptor, status: status, usesHandles: usesHandles)
        let hasHandles = fileSystems.source.hasHandles
        let limit = Int(clamping: min(DescriptorLimit.raised().soft, 1 << 20))
        let budget = configuration.descriptorBudget ?? (hasHandles ? limit / 3 : limit - min(limit / 4, 2048))
        cache = DescriptorCache(capacity: hasHandles ? max(budget, 1) : 0)
        keptLimit = budget
        root = Inode(
            node: NodeID.root, fileSystem: fileSystems.source, number: status.stx_ino, type: FileStatus.directoryType,
            handle: hasHandles ? try? FileHandle(of: "", in: rootDescriptor, flags: CLINUX_AT_EMPTY_PATH) : nil,
            descriptor: rootDescriptor, keep: true, cache: cache)
        _ = inodes.insert(root)
        logger.debug(
            "loopback source opened",
            metadata: ["source": "\(source)", "file handles": "\(hasHandles)", "descriptors for inodes": "\(budget)"])
        logMissingCapabilities()
    }

    /// Says what this process cannot do of what is promised.
    private func logMissingCapabilities() {
        let missing = Capability.missing
        if Set(missing).isSuperset(of: [.setuid, .setgid]) {
            logger.info("files are created as user \(geteuid()), whoever asks: no CAP_SETUID and CAP_SETGID")
            return
        }
        for capability in missing { logger.warning("no \(capability.name): this daemon cannot \(capability.promise)") }
    }

    deinit {
        close(descriptors)
    }

    /// A descriptor of the same directory in a mount that nobody else sees, and that treats times of access in this way:
    /// FUSE leaves them to the daemon, and the flag is one of mounts. The descriptor given is taken over.
    private static func withAccessTimes(_ times: Configuration.AccessTimes, _ directory: CInt) -> CInt {
        let attribute: UInt64
        switch times {
        case .source: return directory
        case .never: attribute = CLINUX_MOUNT_ATTR_NOATIME
        case .always: attribute = CLINUX_MOUNT_ATTR_STRICTATIME
        }
        guard let mount = try? Errno.check({ clinux_open_tree_clone(directory) }) else { return directory }
        close(directory)
        _ = clinux_mount_set_atime(mount, attribute)
        return mount
    }

    public var wantedFlags: InitFlags {
        var flags: InitFlags = [
            .atomicOpenTruncate, .exportSupport, .dontMask, .readdirplus, .readdirplusAuto, .handleKillPrivilegesV2,
            .createSupplementaryGroup, .directIOAllowMmap,
        ]
        switch configuration.cache {
        case .auto: flags.formUnion([.autoInvalidateData, .cacheSymlinks])
        case .always: flags.insert(.cacheSymlinks)
        // What is mapped is in the page cache all the same.
        case .never: flags.insert(.autoInvalidateData)
        }
        if configuration.writesBack { flags.insert(.writebackCache) }
        if configuration.passthrough && !configuration.writesBack { flags.insert(.passthrough) }
        if configuration.posixACL && configuration.extendedAttributes { flags.insert(.posixACL) }
        if configuration.posixLocks { flags.insert(.posixLocks) }
        if configuration.flockLocks { flags.insert(.flockLocks) }
        if configuration.idmappedMounts { flags.insert(.allowIDMap) }
        return flags
    }

    public func start(_ agreed: InitFlags) {
        self.agreed.store(agreed.rawValue, ordering: .relaxed)
        WakeUpSignal.install()
    }

    public func interruptWaiters() {
        waits.endAll()
    }

    public func stop() {
        locks.removeAll()
        files.removeAll()
        directories.removeAll()
        inodes.removeAll()
    }

    /// Gives the filesystem the means to have the kernel ask for a node's attributes anew. Without it clients see some
    /// changes only when the attributes' timeout has passed.
    public func setInvalidation(_ invalidate: @escaping @Sendable (UInt64) -> Void) {
        invalidation.withLock { $0 = invalidate }
    }

    /// A request changed attributes of this node that the kernel does not expect to change with it.
    func invalidateAttributes(of node: UInt64) {
        guard attributeTimeout > 0, let invalidate = invalidation.withLock({ $0 }) else { return }
        invalidate(node)
    }

    // MARK: Inodes

    /// The inode of a node id.
    ///
    /// - Throws: ESTALE if the kernel holds no reference to it.
    func inode(_ node: UInt64) throws(Errno) -> Inode {
        if node == NodeID.root { return root }
        guard let inode = inodes[node] else { throw .staleNFSFileHandle }
        return inode
    }

    /// The inode of a request, for a directory operation.
    ///
    /// - Throws: ENOTDIR if it is none.
    func directory(_ node: UInt64) throws(Errno) -> Inode {
        let inode = try inode(node)
        guard inode.isDirectory else { throw .notDirectory }
        return inode
    }

    /// The inode of an entry of a directory, with one more reference of the kernel's, and what statx(2) tells of it.
    ///
    /// - Parameter likelyKnown: whether the file is probably in the table.
    func find(
        _ name: UnsafePointer<CChar>, in directory: CInt, likelyKnown: Bool = true
    ) throws(Errno) -> (Inode, FileStatus) {
        if likelyKnown || fileSystems.source.readsHandles {
            let status = try Attributes.of(name, in: directory)
            if let inode = known(status, name: name, in: directory) { return (inode, status) }
            if let inode = adoptByHandle(status, name: name, in: directory) { return (inode, status) }
        }
        let descriptor = try openPath(name, in: directory)
        return try adopt(descriptor)
    }

    /// The inode of an entry, with one more reference, by its handle alone: most files that are looked up are never opened,
    /// and a handle costs a third of an open and a close. nil where that cannot be, and for directories, since something
    /// is about to be looked up in them.
    private func adoptByHandle(
        _ status: borrowing FileStatus, name: UnsafePointer<CChar>, in directory: CInt
    ) -> Inode? {
        guard !status.isDirectory, let fileSystem = fileSystems.find(status), fileSystem.readsHandles,
            let handle = try? FileHandle(of: name, in: directory, flags: 0),
            // The name may have become another file's since its status was read.
            fileSystem.inode(of: handle) == status.stx_ino,
            let node = nodeID(FileIdentity(fileSystem: fileSystem.index, inode: status.stx_ino), allocate: true)
        else { return nil }
        let inode = Inode(
            node: node, fileSystem: fileSystem, number: status.stx_ino, type: status.fileType, handle: handle,
            descriptor: nil, keep: false, cache: cache)
        return inodes.insert(inode)
    }

    /// Opens an entry of a directory with O_PATH; a symbolic link itself.
    func openPath(_ name: UnsafePointer<CChar>, in directory: CInt, flags: CInt = 0) throws(Errno) -> CInt {
        let flags = CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC | flags
        if !fileSystems.source.hasHandles && inodes.count >= keptLimit { throw outOfDescriptors() }
        do throws(Errno) {
            return try Errno.check { clinux_openat(directory, name, flags, 0) }
        } catch .tooManyOpenFiles {
            guard cache.shrink(by: 64) > 0 else { throw outOfDescriptors() }
            return try Errno.check { clinux_openat(directory, name, flags, 0) }
        }
    }

    /// Says once how to get more descriptors.
    private func outOfDescriptors() -> Errno {
        if !warnedOfLimit.exchange(true, ordering: .relaxed) {
            let remedy =
                configuration.fileHandles
                ? "run as root on a filesystem with file handles, or raise the limit on open files (ulimit -n)"
                : "allow file_handles, or raise the limit on open files (ulimit -n)"
            logger.error("no descriptors left: \(inodes.count) inodes hold one each; \(remedy)")
        }
        return .tooManyOpenFilesInSystem
    }

    /// The inode of a descriptor of O_PATH, which is taken over, with one more reference of the kernel's.
    ///
    /// - Parameter keep: never close the inode's descriptor while it lives.
    func adopt(_ descriptor: CInt, keep: Bool = false) throws(Errno) -> (Inode, FileStatus) {
        do throws(Errno) {
            let status = try Attributes.of(descriptor)
            let inode = adopt(status, handleFrom: descriptor, descriptor: descriptor, keep: keep)
            return (inode, status)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// The inode of a file of this status, with one more reference of the kernel's.
    ///
    /// - Parameters:
    ///   - source: any descriptor of the file.
    ///   - descriptor: one of O_PATH, taken over, or nil if the inode shall be opened by handle when it is needed.
    func adopt(_ status: borrowing FileStatus, handleFrom source: CInt, descriptor: CInt?, keep: Bool = false) -> Inode
    {
        let fileSystem = fileSystems.findOrAdd(status, member: source)
        let identity = FileIdentity(fileSystem: fileSystem.index, inode: status.stx_ino)
        let node = nodeID(identity, allocate: true) ?? NodeID.root
        if let inode = inodes[node], let pin = inode.pinIfOpen(), inodes.reference(inode) {
            _ = consume pin
            if let descriptor { close(descriptor) }
            return inode
        }
        let handle =
            fileSystem.hasHandles ? try? FileHandle(of: "", in: source, flags: CLINUX_AT_EMPTY_PATH) : nil
        let inode = Inode(
            node: node, fileSystem: fileSystem, number: status.stx_ino, type: status.fileType,
            handle: handle, descriptor: descriptor, keep: keep, cache: cache)
        return inodes.insert(inode)
    }

    /// The inode of a file of this status if it is in the table and still that file, with one more reference.
    private func known(_ status: borrowing FileStatus, name: UnsafePointer<CChar>, in directory: CInt) -> Inode? {
        guard let fileSystem = fileSystems.find(status),
            let node = nodeID(FileIdentity(fileSystem: fileSystem.index, inode: status.stx_ino), allocate: false),
            let inode = inodes[node]
        else { return nil }
        if let pin = inode.pinIfOpen() {
            // As long as it is open, the number is this file's.
            return inodes.reference(pin.inode) ? inode : nil
        }
        guard let handle = inode.handle, let present = try? FileHandle(of: name, in: directory, flags: 0),
            handle == present, inodes.reference(inode)
        else { return nil }
        return inode
    }

    /// The node id of a file; nil if it would have to be allocated.
    func nodeID(_ identity: FileIdentity, allocate: Bool) -> UInt64? {
        if identity == root.identity { return NodeID.root }
        if let node = NodeID.packed(identity) { return node }
        return sequence.withLock { sequence in
            if let number = sequence.numbers[identity] { return NodeID.sequenced(number) }
            guard allocate else { return nil }
            sequence.last += 1
            sequence.numbers[identity] = sequence.last
            return NodeID.sequenced(sequence.last)
        }
    }

    /// The inode number that clients see: the real one on the source's own filesystem, else one unique among all.
    func visibleNumber(_ inode: Inode) -> UInt64 {
        inode.fileSystem.index == 0 ? inode.number : inode.node
    }

    public func forget(node: UInt64, count: UInt64) {
        guard let inode = inodes.forget(node, count: count) else { return }
        if NodeID.unpacked(node) == nil {
            sequence.withLock { _ = $0.numbers.removeValue(forKey: inode.identity) }
        } else if let handle = inode.handle, !inode.fileSystem.makesHandles {
            forgotten.remember(handle, of: node)
        }
    }

    /// The inode of a node id that the kernel held no reference to, as in a file handle of an NFS client.
    ///
    /// A filesystem's handles reach all of it, not only the source: a directory is accepted if its parents lead to the
    /// source, another file on the strength of the generation, 32 bits that the kernel compares with the client's
    /// handle. Who may use such handles is privileged already (CAP_DAC_READ_SEARCH); over NFS it is what exporting a
    /// directory of a filesystem without `subtree_check` always meant.
    /// - Throws: ESTALE if the file is gone.
    func reopen(_ node: UInt64) throws(Errno) -> (Inode, FileStatus) {
        guard let identity = NodeID.unpacked(node), let fileSystem = fileSystems[identity.fileSystem],
            fileSystem.hasHandles,
            let handle = forgotten.find(node) ?? fileSystem.handle(inode: identity.inode),
            let descriptor = try? handle.open(on: fileSystem.mount, flags: CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC)
        else { throw .staleNFSFileHandle }
        guard let status = try? Attributes.of(descriptor), status.stx_ino == identity.inode, status.stx_nlink > 0,
            !status.isDirectory || isInside(descriptor)
        else {
            close(descriptor)
            throw .staleNFSFileHandle
        }
        return try adopt(descriptor)
    }

    /// Whether the parents of a directory lead to the source's root.
    func isInside(_ directory: CInt) -> Bool {
        guard var current = try? Errno.check({ fcntl(directory, F_DUPFD_CLOEXEC, 0) }) else { return false }
        defer { close(current) }
        while let status = try? Attributes.of(current) {
            if fileSystems.find(status)?.index == 0 && status.stx_ino == root.number { return true }
            let flags = CLINUX_O_PATH | O_DIRECTORY | O_CLOEXEC
            guard let parent = try? Errno.check({ clinux_openat(current, "..", flags, 0) }) else { return false }
            let above = try? Attributes.of(parent)
            let isTop =
                above?.stx_ino == status.stx_ino && above?.stx_dev_minor == status.stx_dev_minor
                && above?.stx_dev_major == status.stx_dev_major
            close(current)
            current = parent
            if isTop { return false }
        }
        return false
    }

    // MARK: Replies

    /// Seconds and nanoseconds of a timeout that the configuration gives.
    static func split(_ nanoseconds: UInt64) -> (seconds: UInt64, nanoseconds: UInt32) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return (seconds, UInt32(rest))
    }

    /// What LOOKUP replies.
    func entry(_ inode: Inode, _ status: borrowing FileStatus) -> fuse_entry_out {
        var entry = fuse_entry_out()
        entry.nodeid = inode.node
        entry.generation = UInt64(inode.generation)
        let name = LoopbackFS.split(entryTimeout)
        entry.entry_valid = name.seconds
        entry.entry_valid_nsec = name.nanoseconds
        let attributes = LoopbackFS.split(attributeTimeout)
        entry.attr_valid = attributes.seconds
        entry.attr_valid_nsec = attributes.nanoseconds
        entry.attr = Attributes.fuse(status, inode: visibleNumber(inode))
        return entry
    }

    /// What GETATTR and SETATTR reply.
    func attributes(_ inode: Inode, _ status: borrowing FileStatus) -> fuse_attr_out {
        var out = fuse_attr_out()
        let timeout = LoopbackFS.split(attributeTimeout)
        out.attr_valid = timeout.seconds
        out.attr_valid_nsec = timeout.nanoseconds
        out.attr = Attributes.fuse(status, inode: visibleNumber(inode))
        return out
    }

    var attributeTimeout: UInt64 { configuration.cache == .never ? 0 : configuration.attributeTimeout }
    var entryTimeout: UInt64 { configuration.cache == .never ? 0 : configuration.entryTimeout }
}
