import CFUSE
import CLibFUSE3
import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// The mount failed.
package struct MountError: Error, CustomStringConvertible, Sendable {
    package let mountPoint: FilePath
    /// Why the mount was taken back at once; nil where libfuse3 or fusermount3 have said on standard error why there was none.
    package let cause: Errno?

    package var description: String {
        "cannot mount on \(mountPoint)" + (cause.map { ": it is not to be found in the mount table: \($0)" } ?? "")
    }
}
