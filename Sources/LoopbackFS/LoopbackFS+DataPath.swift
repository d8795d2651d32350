import CFUSE
import CLinux
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// Which way the data of an open file goes: through the kernel's page cache, straight to the daemon, or past it.
extension LoopbackFS {
    /// Registers an open file and says what the kernel shall do with it.
    func opened(_ inode: Inode, _ descriptor: CInt, _ flags: CInt) -> cfuse_open_out {
        let isAppendOnly = flags & O_APPEND != 0 && isAppending(descriptor)
        let backing = BackingFile(FileDescriptor(rawValue: descriptor), isDirect: flags & CLINUX_O_DIRECT != 0)
        var out = cfuse_open_out()
        var replyFlags = dataPath(inode, descriptor, flags, isAppendOnly: isAppendOnly)
        if agreedFlags.contains(.passthrough) {
            let passed = passthroughFiles.open(inode.node, descriptor: descriptor) {
                // Past the daemon a mapping, or a write after O_APPEND was taken off, would change what is there.
                !InodeFlags(of: descriptor).contains(.appendOnly)
            }
            // The inode may be open from before it became append-only. The kernel refuses this open then (EIO) if that can be
            // mapped for writing: it knows what is open still, and a mapping would be of the backing file.
            let isMappable = flags & O_ACCMODE == O_RDWR
            if let passed, !(isAppendOnly && isMappable) {
                replyFlags.insert(.passthrough)
                out.backing_id = passed
            }
        }
        if configuration.cache == .always && replyFlags.isDisjoint(with: [.directIO, .passthrough]) {
            replyFlags.insert(.keepCache)
        }
        // A FLUSH has two uses: record locks, and errors that close(2) of the backing file reports.
        if !configuration.posixLocks && (inode.fileSystem.isLocal || flags & O_ACCMODE == O_RDONLY) {
            replyFlags.insert(.noFlush)
        }
        // The kernel heeds it where the request's queue can do it. What the source makes up as it is read is not to be had that way.
        if agreedFlags.contains(.bufferPools) && !inode.fileSystem.isSynthetic && !replyFlags.contains(.passthrough) {
            replyFlags.insert(.zeroCopy)
            if inode.fileSystem.isInMemory { haveDoneInPlace(descriptor) }
            if !inode.fileSystem.isWrittenAtOnce && !backing.isDirect {
                backing.isWrittenAside.store(true, ordering: .relaxed)
            }
        }
        out.fh = files.insert(OpenFile(inode: inode, backing: backing, flags: flags, isAppendOnly: isAppendOnly))
        out.open_flags = replyFlags.rawValue
        return out
    }

    /// Has io_uring read and write a file in memory at once.
    ///
    /// It hands to a thread of its own what a filesystem does not say it can try without waiting, and tmpfs, which never waits but for
    /// swap, does not say so. O_NONBLOCK says it for reads and, together with O_DIRECT, for writes. Neither means anything else there.
    private func haveDoneInPlace(_ descriptor: CInt) {
        let flags = fcntl(descriptor, F_GETFL, 0)
        // Where that cannot be, the thread does it.
        if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK | CLINUX_O_DIRECT) }
    }

    /// Whether the kernel's page cache is used for this open.
    private func dataPath(_ inode: Inode, _ descriptor: CInt, _ flags: CInt, isAppendOnly: Bool) -> OpenReplyFlags {
        // What is written to an append-only file must come as it was made, not in pages.
        if configuration.isDirect || inode.fileSystem.isSynthetic || isAppendOnly {
            return [.directIO, .parallelDirectWrites]
        }
        guard agreedFlags.contains(.writebackCache) else {
            // A client's O_DIRECT bypasses the page cache here too: its writes then need no exclusive lock on the inode.
            return flags & CLINUX_O_DIRECT != 0 ? [.directIO, .parallelDirectWrites] : []
        }
        // The kernel stamps files itself now, but not for writes that the daemon has made direct: a client's O_DIRECT is left
        // to it. Only what is written to a synchronous file must come at once.
        let comesAtOnce = flags & O_ACCMODE != O_RDONLY && InodeFlags(of: descriptor).contains(.synchronous)
        return comesAtOnce ? [.directIO, .parallelDirectWrites] : []
    }

    /// Whether a backing file has O_APPEND: only those that cannot be opened for writing without it.
    private func isAppending(_ descriptor: CInt) -> Bool {
        fcntl(descriptor, F_GETFL, 0) & O_APPEND != 0
    }

    /// The backing file that pages which the kernel writes back go to. It names any file that is open for writing, or that
    /// a client has mapped.
    ///
    /// - Throws: EPERM if no open file may write in the middle of its inode.
    func pageBacking(_ file: OpenFile) throws(Errno) -> BackingFile {
        if file.isAppendOnly {
            guard let other = pageWriter(of: file.inode) else { throw .notPermitted }
            return try pageBacking(other)
        }
        guard file.backing.isDirect else { return file.backing }
        // The kernel's pages do not meet O_DIRECT's demands on alignment where the file ends.
        return try file.buffered { () throws(Errno) in
            let descriptor = try reopen(file.descriptor, file.flags & O_ACCMODE)
            return BackingFile(FileDescriptor(rawValue: descriptor), isDirect: false)
        }
    }

    /// An open file of an inode that may be written to in the middle: of an append-only one, from before it became so.
    func pageWriter(of inode: Inode) -> OpenFile? {
        files.first { $0.inode === inode && $0.takesPages }
    }
}

/// Inode flags (chattr(1), ioctl_iflags(2)) that say what a write means.
struct InodeFlags: OptionSet {
    let rawValue: UInt32

    init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// `FS_SYNC_FL`: a write is on the disk when it returns.
    static let synchronous = InodeFlags(rawValue: 0x8)
    /// `FS_APPEND_FL`: nothing that is there is ever changed.
    static let appendOnly = InodeFlags(rawValue: 0x20)

    /// None where the filesystem has none.
    init(of descriptor: CInt) {
        var flags: UInt64 = 0
        let result = unsafe clinux_ioctl(descriptor, CLINUX_FS_IOC_GETFLAGS, &flags)
        self.init(rawValue: result == 0 ? UInt32(truncatingIfNeeded: flags) : 0)
    }
}
