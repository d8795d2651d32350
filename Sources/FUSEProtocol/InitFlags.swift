/// What kernel and daemon agree on in INIT: `flags` and, from bit 32 on, `flags2` of `fuse_init_in` and `fuse_init_out`.
public struct InitFlags: OptionSet, Hashable, Sendable {
    /// As the ABI has them (`FUSE_*` of `<linux/fuse.h>`).
    public let rawValue: UInt64

    /// The flags of a number.
    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Several READs of one file may be under way at once.
    @inlinable package static var asyncRead: InitFlags { InitFlags(rawValue: 1 << 0) }
    /// Record locks come as GETLK, SETLK and SETLKW; without it the kernel keeps them for this mount alone.
    @inlinable package static var posixLocks: InitFlags { InitFlags(rawValue: 1 << 1) }
    /// O_TRUNC reaches OPEN; without it the kernel sends a SETATTR first.
    @inlinable public static var atomicOpenTruncate: InitFlags { InitFlags(rawValue: 1 << 3) }
    /// LOOKUP of `.` and `..` by node id: needed for NFS export and open_by_handle_at(2).
    @inlinable public static var exportSupport: InitFlags { InitFlags(rawValue: 1 << 4) }
    /// WRITEs larger than a page.
    @inlinable package static var bigWrites: InitFlags { InitFlags(rawValue: 1 << 5) }
    /// The kernel leaves the umask to the daemon: needed for default ACLs.
    @inlinable package static var dontMask: InitFlags { InitFlags(rawValue: 1 << 6) }
    /// flock(2) comes as SETLK with FUSE_LK_FLOCK.
    @inlinable package static var flockLocks: InitFlags { InitFlags(rawValue: 1 << 10) }
    /// The kernel drops cached data when mtime or size changed behind its back.
    @inlinable public static var autoInvalidateData: InitFlags { InitFlags(rawValue: 1 << 12) }
    /// READDIRPLUS is understood.
    @inlinable public static var readdirplus: InitFlags { InitFlags(rawValue: 1 << 13) }
    /// The kernel chooses between READDIR and READDIRPLUS by how the entries are used.
    @inlinable public static var readdirplusAuto: InitFlags { InitFlags(rawValue: 1 << 14) }
    /// Direct I/O may be split over several requests at once.
    @inlinable package static var asyncDirectIO: InitFlags { InitFlags(rawValue: 1 << 15) }
    /// The kernel keeps dirty pages and sizes; every file must be readable by the daemon.
    @inlinable public static var writebackCache: InitFlags { InitFlags(rawValue: 1 << 16) }
    /// LOOKUP and READDIR of one directory may run in parallel.
    @inlinable package static var parallelDirectoryOperations: InitFlags { InitFlags(rawValue: 1 << 18) }
    /// ACLs are stored by the daemon and enforced by the kernel; implies `default_permissions`.
    @inlinable package static var posixACL: InitFlags { InitFlags(rawValue: 1 << 20) }
    /// A read of an aborted connection fails with ECONNABORTED instead of ENODEV.
    @inlinable package static var abortError: InitFlags { InitFlags(rawValue: 1 << 21) }
    /// `max_pages` of the reply is valid.
    @inlinable package static var maxPages: InitFlags { InitFlags(rawValue: 1 << 22) }
    /// Symbolic links' targets are cached.
    @inlinable public static var cacheSymlinks: InitFlags { InitFlags(rawValue: 1 << 23) }
    /// Set-id bits and capabilities are cleared by the daemon, when a request says so.
    @inlinable package static var handleKillPrivilegesV2: InitFlags { InitFlags(rawValue: 1 << 28) }
    /// SETXATTR has its 16-byte form, which can ask for set-group-id to be cleared.
    @inlinable package static var setxattrExtended: InitFlags { InitFlags(rawValue: 1 << 29) }
    /// `flags2` is valid.
    @inlinable package static var initExtended: InitFlags { InitFlags(rawValue: 1 << 30) }
    /// Creating requests carry the caller's group that matches the parent directory.
    @inlinable public static var createSupplementaryGroup: InitFlags { InitFlags(rawValue: 1 << 34) }
    /// Shared mmap of files opened with FOPEN_DIRECT_IO.
    @inlinable public static var directIOAllowMmap: InitFlags { InitFlags(rawValue: 1 << 36) }
    /// Reads and writes may bypass the daemon (`FOPEN_PASSTHROUGH`).
    @inlinable package static var passthrough: InitFlags { InitFlags(rawValue: 1 << 37) }
    /// Idmapped mounts. Only with `default_permissions`; requests that create nothing then carry no user id.
    @inlinable package static var allowIDMap: InitFlags { InitFlags(rawValue: 1 << 40) }
    /// Requests travel over io_uring once every queue has a registered entry.
    @inlinable package static var overIOURing: InitFlags { InitFlags(rawValue: 1 << 41) }
    /// The kernel aborts the connection when a request takes longer than `request_timeout` seconds.
    @inlinable package static var requestTimeout: InitFlags { InitFlags(rawValue: 1 << 42) }
    /// A ring's entries may share payload buffers, and data may stay in the client's pages.
    @inlinable package static var bufferPools: InitFlags { InitFlags(rawValue: 1 << 43) }
}
