public import Logging

/// How a filesystem is mounted and served.
public struct ServeOptions: Sendable {
    /// How requests travel.
    public var transport = TransportChoice()
    /// Nothing can be changed through the mount: the kernel answers EROFS by itself.
    public var readOnly = false
    /// Not only who mounts it may use it. Who is not root needs `user_allow_other` in `/etc/fuse.conf` for it.
    public var allowOther = false
    /// The kernel checks permissions by mode and owner; without it, ``FileSystem/access(_:mask:_:)`` and every other method does.
    public var defaultPermissions = true
    /// The mount goes with the process, however that ends. `auto_unmount` among the mount options says the same.
    public var autoUnmount = false
    /// What the mount table shows as the source; nil for the program's name.
    public var source: String?
    /// What follows `fuse.` in the mount table's type; nil for the program's name.
    public var type: String?
    /// Further options of mount(8), each by itself: `noexec`, `max_read=65536`.
    public var mountOptions: [String] = []
    /// The largest WRITE's data in bytes; rounded down to a multiple of 4,096.
    public var largestWrite = 1 << 20
    /// Seconds after which the kernel aborts a connection over one late request (Linux 6.15 and later); 0 for never.
    public var requestTimeout: UInt16 = 0
    /// Seconds that requests in hand get when the session stops.
    public var stopTimeout = 3.0
    /// Where start, stop and trouble are told; nil for standard error, from `notice` on.
    public var log: Logger?
    /// Called once the mount can be used.
    public var whenReady: (@Sendable () -> Void)?

    /// What is good for most: the best transport, permissions checked by the kernel, for the one who mounts it.
    public init() {}

    private static let autoUnmountOption = "auto_unmount"

    /// Whether one of the two ways to say it was used.
    var unmountsByItself: Bool { autoUnmount || mountOptions.contains(ServeOptions.autoUnmountOption) }

    /// What mount(8) would be given.
    func mountOptionText(program: String) -> String {
        var all = mountOptions.filter { $0 != ServeOptions.autoUnmountOption }
        if readOnly { all.append("ro") }
        if allowOther { all.append("allow_other") }
        if defaultPermissions { all.append("default_permissions") }
        all.append("fsname=" + MountOptionText.escape(source ?? program))
        all.append("subtype=" + MountOptionText.escape(type ?? program))
        return all.joined(separator: ",")
    }
}

/// The text in which mount options are handed to libfuse3.
package enum MountOptionText {
    /// A value as it is written between commas.
    package static func escape(_ value: String) -> String {
        value.unicodeScalars.reduce(into: "") { text, scalar in
            if scalar == "," || scalar == "\\" { text.append("\\") }
            text.unicodeScalars.append(scalar)
        }
    }
}
