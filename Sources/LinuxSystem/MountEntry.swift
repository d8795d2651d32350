import Glibc
public import SystemPackage

/// One line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
public struct MountEntry: Sendable, Hashable {
    public var mountID: Int
    public var parentID: Int
    /// `st_dev` of the mounted filesystem. For FUSE the minor is the connection's number below
    /// `/sys/fs/fuse/connections`.
    public var major: UInt32
    public var minor: UInt32
    /// The directory of the filesystem that is mounted (`/` unless a bind mount).
    public var root: FilePath
    /// Where it is mounted: absolute, without symbolic links. Its bytes need not be UTF-8.
    public var path: FilePath
    public var options: String
    public var type: String
    public var source: String
    public var superOptions: String

    /// ``path`` for words and for comparing with paths that are text.
    public var mountPoint: String { path.string }

    /// FUSE in any of its forms, subtypes included.
    public var isFUSE: Bool {
        type == "fuse" || type == "fuseblk" || type.hasPrefix("fuse.") || type.hasPrefix("fuseblk.")
    }
}
