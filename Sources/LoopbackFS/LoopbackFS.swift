import CFUSE
import CLinux
package import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
package import Logging
import Synchronization
import SystemPackage

/// Serves a directory as it is, at full fidelity: every operation ends at the same file of the source.
///
/// The source is never escaped: every path is one name, checked, relative to a descriptor, and followed by nothing.
/// Files are created as the caller. Which transport carries the requests is unknown here.
package final class LoopbackFS: FileSystem {
    let configuration: Configuration
    let logger: Logger
    /// The process's `/proc/self/fd`, of O_PATH: how descriptors are reopened.
    let descriptors: CInt
    let credentials: Credentials
    let fileSystems: FileSystemTable
    let cache: DescriptorCache
    let root: Inode
    let inodes: InodeTable
    let files = HandleTable<OpenFile>()
    let directories = HandleTable<OpenDirectory>()
    let locks: LockTable
    let lockWaits: WaitForGraph
    let waits = InterruptibleWaits()
    let passthroughFiles = PassthroughFiles()
    /// How to have the kernel drop the attributes that it keeps of a node. Set once, before the first request.
    private let invalidation = Lock<(@Sendable (UInt64) -> Void)?>(nil)
    private let forgotten = ForgottenHandles()
    /// Most inodes that keep a descriptor each, where there are no file handles.
    private let keptLimit: Int
    private let warnedOfLimit = Atomic<Bool>(false)
    private let connectionNumber = Atomic<UInt32>(0)
    /// What INIT agreed on.
    let agreed = Atomic<UInt64>(0)

    /// Opens the source and finds out what its filesystem can do.
    ///
    /// To be made in the process that serves: descriptors are reopened through its `/proc/self/fd`.
    package init(_ configuration: Configuration, logger: Logger) throws(SourceError) {
        self.configuration = configuration
        self.logger = logger
        locks = LockTable()
        lockWaits = WaitForGraph(locks)
        let source = configuration.source
        let rootDescriptor: CInt
        let status: FileStatus
        let sweeper: MountSweeper
        do throws(Errno) {
            let flags = CLINUX_O_PATH | O_DIRECTORY | O_CLOEXEC
            let opened = try Errno.check {
                unsafe source.withPlatformString { unsafe clinux_openat(AT_FDCWD, $0, flags, 0) }
            }
            rootDescriptor = LoopbackFS.withAccessTimes(configuration.accessTimes, opened)
            status = try Attributes.of(rootDescriptor)
        } catch {
            throw .source(source, error)
        }
        do throws(Errno) {
            let flags = CLINUX_O_PATH | O_DIRECTORY | O_CLOEXEC
            descriptors = try Errno.check { unsafe clinux_openat(AT_FDCWD, "/proc/self/fd", flags, 0) }
            sweeper = try MountSweeper()
        } catch {
            close(rootDescriptor)
            throw .procfs(error)
        }
        credentials = Credentials(descriptors: descriptors)
        // What is written for a user counts for the user's quota, which this capability would lift. Threads inherit it.
        _ = clinux_set_effective_capability(Capability.sysResource, 0)
        let readFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let readable = (try? Errno.check { unsafe clinux_openat(rootDescriptor, ".", readFlags, 0) }) ?? -1
        let hasHandles =
            configuration.fileHandles && Capability.dacReadSearch.isHeld
            && FileHandle(tryingOn: readable, of: rootDescriptor) != nil
        let limit = Int(clamping: min(DescriptorLimit.raised().soft, 1 << 20))
        let budget = configuration.descriptorBudget ?? (hasHandles ? limit / 3 : limit - min(limit / 4, 2048))
        cache = DescriptorCache(capacity: hasHandles ? max(budget, 1) : 0)
        keptLimit = budget
        let mount = BackingMount(id: status.stx_mnt_id, descriptor: readable, cache: cache)
        fileSystems = FileSystemTable(
            mount: mount, root: rootDescriptor, status: status, usesHandles: hasHandles, descriptors: descriptors,
            sweeper: sweeper)
        root = unsafe Inode(
            fileSystem: fileSystems.source, number: status.stx_ino, type: FileStatus.directoryType,
            handle: hasHandles ? try? FileHandle(of: "", in: rootDescriptor, flags: CLINUX_AT_EMPTY_PATH) : nil,
            descriptor: rootDescriptor, keep: true, node: NodeID.root)
        inodes = InodeTable(root: root)
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

    package var wantedFlags: InitFlags {
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

    package func start(_ agreed: InitFlags) {
        self.agreed.store(agreed.rawValue, ordering: .relaxed)
        WakeUpSignal.install()
        let asked = agreed.contains(.requestTimeout) ? configuration.requestTimeout : 0
        waits.limit(to: RequestTimeout.kernels(asked: asked).map { 0.75 * Double($0) })
    }

    package func interruptWaiters() {
        waits.endAll()
    }

    package func stop() {
        locks.removeAll()
        files.removeAll()
        directories.removeAll()
        inodes.removeAll()
        fileSystems.stop()
    }

    /// Gives the filesystem the means to have the kernel ask for a node's attributes anew. Without it clients see some
    /// changes only when the attributes' timeout has passed.
    package func setInvalidation(_ invalidate: @escaping @Sendable (UInt64) -> Void) {
        invalidation.withLock { $0 = invalidate }
    }

    /// Tells the filesystem which connection serves it (the minor number of its mounts' device).
    package func setConnection(_ number: UInt32) {
        connectionNumber.store(number, ordering: .relaxed)
    }

    var connection: UInt32 { connectionNumber.load(ordering: .relaxed) }

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
    /// The source may change between any two system calls. So that inode and status are of one file, the handle is read
    /// first: if it is not that of the file whose status is read after it, the numbers differ, or its file is gone and the
    /// number another's: then it leads nowhere.
    ///
    /// - Parameters:
    ///   - descriptor: of the directory.
    ///   - likelyKnown: whether the file is probably in the table.
    func find(
        _ name: UnsafePointer<CChar>, in directory: Inode, _ descriptor: CInt, likelyKnown: Bool = true
    ) throws(Errno) -> (Inode, FileStatus) {
        var handle: FileHandle?
        if fileSystems.source.readsHandles {
            do throws(Errno) {
                handle = try unsafe FileHandle(of: name, in: descriptor, flags: 0)
            } catch .noSuchFileOrDirectory {
                throw .noSuchFileOrDirectory
            } catch {
                // The filesystem that is mounted there has none.
            }
        }
        if handle != nil || likelyKnown {
            let status = try unsafe Attributes.of(name, in: descriptor)
            if let fileSystem = fileSystems.find(status) {
                if fileSystem !== directory.fileSystem {
                    unsafe fileSystem.mount.met(at: .init(name: name, directory: directory))
                }
                if let handle, fileSystem.inode(of: handle) == status.stx_ino {
                    if let inode = inodes.find(status.identity(in: fileSystem), handle) { return (inode, status) }
                    // Most files that are looked up are never opened, and a handle costs a third of an open and a close. But in
                    // a directory something is about to be looked up.
                    if !status.isDirectory { return (insert(status, fileSystem, handle), status) }
                } else if let found = unsafe findOpen(name, descriptor, status, fileSystem) {
                    return found
                }
            }
        }
        let opened = try unsafe openPath(name, in: descriptor)
        return try unsafe adopt(opened, handle: handle, at: .init(name: name, directory: directory))
    }

    /// The inode of an entry that is open, where no handle tells which file it is: as long as it is open, the number is its
    /// own, so if the name still leads to the number, it is the entry's.
    private func findOpen(
        _ name: UnsafePointer<CChar>, _ directory: CInt, _ status: borrowing FileStatus, _ fileSystem: BackingFileSystem
    ) -> (Inode, FileStatus)? {
        guard let inode = inodes.latest(status.identity(in: fileSystem)), let pin = inode.pinIfOpen(),
            let present = unsafe try? Attributes.of(name, in: directory), present.stx_ino == inode.number,
            fileSystems.find(present) === fileSystem, inodes.reference(pin.inode)
        else { return nil }
        return (inode, present)
    }

    private func insert(
        _ status: borrowing FileStatus, _ fileSystem: BackingFileSystem, _ handle: FileHandle?, descriptor: CInt? = nil,
        keep: Bool = false
    ) -> Inode {
        inodes.insert(
            Inode(
                fileSystem: fileSystem, number: status.stx_ino, type: status.fileType, handle: handle,
                descriptor: descriptor, keep: keep))
    }

    /// Opens an entry of a directory with O_PATH; a symbolic link itself.
    func openPath(_ name: UnsafePointer<CChar>, in directory: CInt, flags: CInt = 0) throws(Errno) -> CInt {
        let flags = CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC | flags
        if !fileSystems.source.hasHandles && inodes.count >= keptLimit { throw outOfDescriptors() }
        return try makingRoom { () throws(Errno) in try Errno.check { unsafe clinux_openat(directory, name, flags, 0) }
        }
    }

    /// Calls `body`, which opens something; while the process has no descriptors left, closes some of those that are kept
    /// for later and tries again.
    func makingRoom<Value>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        do throws(Errno) {
            return try fileSystems.source.mount.makingRoom(body)
        } catch .tooManyOpenFiles {
            throw outOfDescriptors()
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
    /// - Parameters:
    ///   - handle: the file's, unless its number is another's by now.
    ///   - place: where it was met: name and directory.
    func adopt(
        _ descriptor: CInt, handle: FileHandle? = nil, at place: BackingMount.Place? = nil
    ) throws(Errno) -> (Inode, FileStatus) {
        do throws(Errno) {
            let status = try Attributes.of(descriptor)
            let inode = adopt(status, handleFrom: descriptor, descriptor: descriptor, handle: handle, at: place)
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
    ///   - keep: never close the inode's descriptor while it lives.
    func adopt(
        _ status: borrowing FileStatus, handleFrom source: CInt, descriptor: CInt?, keep: Bool = false,
        handle: FileHandle? = nil, at place: BackingMount.Place? = nil
    ) -> Inode {
        let fileSystem = fileSystems.findOrAdd(status, member: source, at: place)
        var known: FileHandle?
        if fileSystem.hasHandles {
            if let handle, fileSystem.inode(of: handle) == status.stx_ino {
                known = handle
            } else {
                known = unsafe try? FileHandle(of: "", in: source, flags: CLINUX_AT_EMPTY_PATH)
            }
        }
        if let inode = inodes.find(status.identity(in: fileSystem), known) {
            if let descriptor { close(descriptor) }
            return inode
        }
        return insert(status, fileSystem, known, descriptor: descriptor, keep: keep)
    }

    /// The inode number that clients see.
    func visibleNumber(_ inode: Inode) -> UInt64 {
        NodeID.visibleNumber(inode.identity)
    }

    package func forget(node: UInt64, count: UInt64) {
        guard let inode = inodes.forget(node, count: count) else { return }
        if NodeID.unpacked(node) != nil, let handle = inode.handle, !inode.fileSystem.makesHandles {
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
            let use = try? fileSystem.mount.use(),
            let descriptor = try? handle.open(on: use.descriptor, flags: CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC)
        else { throw .staleNFSFileHandle }
        guard let status = try? Attributes.of(descriptor), status.stx_ino == identity.inode, status.stx_nlink > 0,
            !status.isDirectory || isInside(descriptor)
        else {
            close(descriptor)
            throw .staleNFSFileHandle
        }
        let (inode, present) = try adopt(descriptor)
        guard inode.node == node else {
            // Another file of the same number.
            forget(node: inode.node, count: 1)
            throw .staleNFSFileHandle
        }
        return (inode, present)
    }

    /// Whether the parents of a directory lead to the source's root.
    func isInside(_ directory: CInt) -> Bool {
        guard var current = try? Errno.check({ fcntl(directory, F_DUPFD_CLOEXEC, 0) }) else { return false }
        defer { close(current) }
        while let status = try? Attributes.of(current) {
            if fileSystems.find(status)?.index == 0 && status.stx_ino == root.number { return true }
            let flags = CLINUX_O_PATH | O_DIRECTORY | O_CLOEXEC
            guard let parent = try? Errno.check({ unsafe clinux_openat(current, "..", flags, 0) }) else { return false }
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
        inode.told(status)
        entry.attr = Attributes.fuse(status, inode: visibleNumber(inode))
        return entry
    }

    /// What GETATTR and SETATTR reply.
    func attributes(_ inode: Inode, _ status: borrowing FileStatus) -> fuse_attr_out {
        var out = fuse_attr_out()
        let timeout = LoopbackFS.split(attributeTimeout)
        out.attr_valid = timeout.seconds
        out.attr_valid_nsec = timeout.nanoseconds
        inode.told(status)
        out.attr = Attributes.fuse(status, inode: visibleNumber(inode))
        return out
    }

    var attributeTimeout: UInt64 { configuration.cache == .never ? 0 : configuration.attributeTimeout }
    var entryTimeout: UInt64 { configuration.cache == .never ? 0 : configuration.entryTimeout }
}
