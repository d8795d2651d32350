import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// An eventfd(2): wakes a thread that polls it or a ring that reads it.
package struct EventDescriptor: ~Copyable, Sendable {
    package let descriptor: FileDescriptor

    /// - Throws: EMFILE and what else eventfd(2) says.
    package init() throws(Errno) {
        descriptor = FileDescriptor(
            rawValue: try Errno.check { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    deinit {
        try? descriptor.close()
    }

    /// Makes it readable. A counter at its limit is readable already, so no error matters.
    package func signal() {
        eventfd_write(descriptor.rawValue, 1)
    }

    /// Makes it unreadable again.
    package func clear() {
        var value = eventfd_t()
        unsafe eventfd_read(descriptor.rawValue, &value)
    }
}
