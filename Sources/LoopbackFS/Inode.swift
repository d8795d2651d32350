import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// A file of the source that the kernel knows, from its first LOOKUP to its last FORGET.
///
/// Its O_PATH descriptor is either kept for the inode's life, or, where the filesystem has handles, lent from the
/// ``DescriptorCache`` and reopened by handle when it was closed.
final class Inode: Sendable {
    /// The node id, which the ``InodeTable`` gives.
    var node: UInt64 { nodeID.load(ordering: .relaxed) }
    let fileSystem: BackingFileSystem
    /// `st_ino` in its own filesystem.
    let number: UInt64
    /// File type bits of the mode (`S_IFMT`).
    let type: UInt32
    /// nil if only a kept descriptor leads to the file.
    let handle: FileHandle?
    /// Tells the file from a later one of the same number: the entry's generation.
    let generation: UInt32
    /// References that the kernel holds. Changed under its ``InodeTable`` shard's lock only.
    let references = Atomic<UInt64>(0)

    private let nodeID: Atomic<UInt64>
    private let sticky = Atomic<Bool>(false)
    /// The kept descriptor, or -1. Set at most once after init.
    private let kept: Atomic<CInt>
    /// The ``DescriptorCache/Slot`` that was last lent.
    private let slot = Atomic<UInt64>(DescriptorCache.Slot.none.rawValue)

    /// Takes `descriptor` over if it is given.
    ///
    /// - Parameter keep: never close the descriptor while the inode lives.
    init(
        fileSystem: BackingFileSystem, number: UInt64, type: UInt32, handle: FileHandle?, descriptor: CInt?,
        keep: Bool = false, node: UInt64 = 0
    ) {
        nodeID = Atomic(node)
        self.fileSystem = fileSystem
        self.number = number
        self.type = type
        self.handle = handle
        self.generation = handle?.generation ?? 0
        guard let descriptor else {
            kept = Atomic(-1)
            return
        }
        if keep || handle == nil {
            kept = Atomic(descriptor)
            return
        }
        kept = Atomic(-1)
        if let lent = fileSystem.mount.lend(descriptor) {
            slot.store(lent.rawValue, ordering: .relaxed)
            cache.unpin(lent.index)
        } else {
            close(descriptor)
        }
    }

    deinit {
        let descriptor = kept.load(ordering: .relaxed)
        if descriptor >= 0 { close(descriptor) }
        if let lent = cache.remove(DescriptorCache.Slot(rawValue: slot.load(ordering: .relaxed))) { close(lent) }
    }

    private var cache: DescriptorCache { fileSystem.mount.cache }

    /// Gives it its node id, once, before anybody else knows it.
    func name(_ node: UInt64) {
        nodeID.store(node, ordering: .relaxed)
    }

    /// A directory from which only owners take entries (`S_ISVTX`), as the kernel was last told.
    var isSticky: Bool { sticky.load(ordering: .relaxed) }

    /// The kernel is told this of it.
    func told(_ status: borrowing FileStatus) {
        if isDirectory { sticky.store(UInt32(status.stx_mode) & 0o1000 != 0, ordering: .relaxed) }
    }

    /// The file's identity.
    var identity: FileIdentity { FileIdentity(fileSystem: fileSystem.index, inode: number) }

    var isDirectory: Bool { type == FileStatus.directoryType }
    var isRegular: Bool { type == FileStatus.regularType }
    /// Whether the descriptor is kept for the inode's life.
    var keepsDescriptor: Bool { kept.load(ordering: .relaxed) >= 0 }

    /// The descriptor for as long as the pin lives, reopened if it has been closed.
    ///
    /// - Throws: ESTALE if the file is gone, EMFILE or ENFILE if there are no descriptors left.
    func pin() throws(Errno) -> Pin {
        if let pin = pinIfOpen() { return pin }
        guard let handle else { throw .staleNFSFileHandle }
        let descriptor = try openByHandle(handle)
        guard let lent = fileSystem.mount.lend(descriptor) else {
            return Pin(inode: self, descriptor: descriptor, source: .own)
        }
        // Of two threads that reopen at once the last one's slot stays; the other's is evicted as unused in time.
        slot.store(lent.rawValue, ordering: .releasing)
        return Pin(inode: self, descriptor: descriptor, source: .lent(lent.index))
    }

    /// The descriptor if it is open. While it is, the file's number cannot go to another one.
    func pinIfOpen() -> Pin? {
        let descriptor = kept.load(ordering: .acquiring)
        if descriptor >= 0 { return Pin(inode: self, descriptor: descriptor, source: .kept) }
        let lent = DescriptorCache.Slot(rawValue: slot.load(ordering: .acquiring))
        guard let descriptor = cache.pin(lent) else { return nil }
        return Pin(inode: self, descriptor: descriptor, source: .lent(lent.index))
    }

    /// Keeps a descriptor from now on: the file is about to lose its last name, and with it what its handle leads to.
    func keep() throws(Errno) {
        guard !keepsDescriptor, let handle else { return }
        let lent = DescriptorCache.Slot(rawValue: slot.load(ordering: .acquiring))
        let descriptor = if let lent = cache.remove(lent) { lent } else { try openByHandle(handle) }
        let (exchanged, _) = kept.compareExchange(expected: -1, desired: descriptor, ordering: .releasing)
        if !exchanged { close(descriptor) }
    }

    private func openByHandle(_ handle: FileHandle) throws(Errno) -> CInt {
        let mount = fileSystem.mount
        let use = try mount.use()
        return try mount.makingRoom { () throws(Errno) in
            try handle.open(on: use.descriptor, flags: CLINUX_O_PATH | O_NOFOLLOW | O_CLOEXEC)
        }
    }

    /// Whose the descriptor of a ``Pin`` is.
    fileprivate enum Source {
        case kept
        case lent(UInt32)
        case own
    }

    /// The right to use an inode's descriptor. Ends with its scope.
    struct Pin: ~Copyable {
        /// Of O_PATH.
        let descriptor: CInt
        let inode: Inode
        private let source: Source

        fileprivate init(inode: Inode, descriptor: CInt, source: Source) {
            self.inode = inode
            self.descriptor = descriptor
            self.source = source
        }

        deinit {
            switch source {
            case .kept: break
            case .lent(let index): inode.cache.unpin(index)
            case .own: close(descriptor)
            }
        }
    }
}
