import CFUSE
import CLinux
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// A `/dev/fuse` descriptor that stays open as long as anyone may still reply on it.
package final class DeviceDescriptor: Sendable {
    private let descriptor: FileDescriptor
    private let owned: Bool

    /// The mount's own, which the connection closes.
    package init(of connection: Connection) {
        descriptor = connection.device
        owned = false
    }

    /// A clone with a processing queue of its own (`FUSE_DEV_IOC_CLONE`), so that threads do not meet in one.
    package init(cloning connection: Connection) throws(Errno) {
        let clone = try Errno.check { unsafe open("/dev/fuse", O_RDWR | O_CLOEXEC) }
        var source = UInt32(connection.device.rawValue)
        do throws(Errno) {
            _ = try Errno.check { unsafe clinux_ioctl(clone, CFUSE_DEV_IOC_CLONE, &source) }
        } catch {
            close(clone)
            throw error
        }
        descriptor = FileDescriptor(rawValue: clone)
        owned = true
    }

    deinit {
        if owned { try? descriptor.close() }
    }

    var rawValue: CInt { descriptor.rawValue }
}
