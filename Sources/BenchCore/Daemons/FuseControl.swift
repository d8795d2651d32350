import LinuxSystem
public import SystemPackage

/// The kernel's control files of its FUSE connections, `/sys/fs/fuse/connections`.
public enum FuseControl {
    public static let root = "/sys/fs/fuse/connections"

    /// Whether the control filesystem is mounted; mounts it if it is not, which needs root.
    ///
    /// - Throws: the errno of mount(2).
    public static func ensureMounted() throws(Errno) {
        if (try? MountTable.top(at: root)) != nil { return }
        let result = try? ChildProcess.spawn(["mount", "-t", "fusectl", "fusectl", root])
        if result?.wait(.seconds(10))?.isSuccess != true { throw .permissionDenied }
    }

    /// The numbers of all connections there are.
    public static var connections: Set<UInt32> { Set(names(in: root).compactMap { UInt32($0) }) }
}
