/// What kernel and daemon agree on in INIT: `flags` and, from bit 32 on, `flags2` of `fuse_init_in` and `fuse_init_out`.
public struct InitFlags: OptionSet, Hashable, Sendable {
    /// As the ABI has them (`FUSE_*` of `<linux/fuse.h>`).
    public let rawValue: UInt64

    /// The flags of a number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Several READs of one file may be under way at once.
    package static let asyncRead = InitFlags(rawValue: 1 << 0)
    /// Record locks come as GETLK, SETLK and SETLKW; without it the kernel keeps them for this mount alone.
    package static let posixLocks = InitFlags(rawValue: 1 << 1)
    /// O_TRUNC reaches OPEN; without it the kernel sends a SETATTR first.
    public static let atomicOpenTruncate = InitFlags(rawValue: 1 << 3)
    /// LOOKUP of `.` and `..` by node id: needed for NFS export and open_by_handle_at(2).
    public static let exportSupport = InitFlags(rawValue: 1 << 4)
    /// WRITEs larger than a page.
    package static let bigWrites = InitFlags(rawValue: 1 << 5)
    /// The kernel leaves the umask to the daemon: needed for default ACLs.
    package static let dontMask = InitFlags(rawValue: 1 << 6)
    /// flock(2) comes as SETLK with FUSE_LK_FLOCK.
    package static let flockLocks = InitFlags(rawValue: 1 << 10)
    /// The kernel drops cached data when mtime or size changed behind its back.
    public static let autoInvalidateData = InitFlags(rawValue: 1 << 12)
    /// READDIRPLUS is understood.
    public static let readdirplus = InitFlags(rawValue: 1 << 13)
    /// The kernel chooses between READDIR and READDIRPLUS by how the entries are used.
    public static let readdirplusAuto = InitFlags(rawValue: 1 << 14)
    /// Direct I/O may be split over several requests at once.
    package static let asyncDirectIO = InitFlags(rawValue: 1 << 15)
    /// The kernel keeps dirty pages and sizes; every file must be readable by the daemon.
    public static let writebackCache = InitFlags(rawValue: 1 << 16)
    /// LOOKUP and READDIR of one directory may run in parallel.
    package static let parallelDirectoryOperations = InitFlags(rawValue: 1 << 18)
    /// ACLs are stored by the daemon and enforced by the kernel; implies `default_permissions`.
    package static let posixACL = InitFlags(rawValue: 1 << 20)
    /// A read of an aborted connection fails with ECONNABORTED instead of ENODEV.
    package static let abortError = InitFlags(rawValue: 1 << 21)
    /// `max_pages` of the reply is valid.
    package static let maxPages = InitFlags(rawValue: 1 << 22)
    /// Symbolic links' targets are cached.
    public static let cacheSymlinks = InitFlags(rawValue: 1 << 23)
    /// Set-id bits and capabilities are cleared by the daemon, when a request says so.
    package static let handleKillPrivilegesV2 = InitFlags(rawValue: 1 << 28)
    /// SETXATTR has its 16-byte form, which can ask for set-group-id to be cleared.
    package static let setxattrExtended = InitFlags(rawValue: 1 << 29)
    /// `flags2` is valid.
    package static let initExtended = InitFlags(rawValue: 1 << 30)
    /// Creating requests carry the caller's group that matches the parent directory.
    public static let createSupplementaryGroup = InitFlags(rawValue: 1 << 34)
    /// Shared mmap of files opened with FOPEN_DIRECT_IO.
    public static let directIOAllowMmap = InitFlags(rawValue: 1 << 36)
    /// Reads and writes may bypass the daemon (`FOPEN_PASSTHROUGH`).
    package static let passthrough = InitFlags(rawValue: 1 << 37)
    /// Idmapped mounts. Only with `default_permissions`; requests that create nothing then carry no user id.
    package static let allowIDMap = InitFlags(rawValue: 1 << 40)
    /// Requests travel over io_uring once every queue has a registered entry.
    package static let overIOURing = InitFlags(rawValue: 1 << 41)
    /// The kernel aborts the connection when a request takes longer than `request_timeout` seconds.
    package static let requestTimeout = InitFlags(rawValue: 1 << 42)
}
