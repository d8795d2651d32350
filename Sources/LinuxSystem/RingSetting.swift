public import SystemPackage

/// Whether this kernel serves FUSE over io_uring, as the parameter of its fuse module says.
public enum RingSetting: Sendable {
    /// The kernel has no such parameter: older than Linux 6.14, without CONFIG_FUSE_IO_URING, or without the fuse module.
    case absent
    case off, on

    public static let path: FilePath = "/sys/module/fuse/parameters/enable_uring"

    /// As it is now.
    public static var current: RingSetting { RingSetting(try? readWhole(path)) }

    /// - Parameter text: what the parameter reads as, `Y` or `N`, or 1 or 0 as it may be written; nil if it is not there.
    init(_ text: String?) {
        switch text?.first {
        case nil: self = .absent
        case "Y", "y", "1": self = .on
        default: self = .off
        }
    }
}
