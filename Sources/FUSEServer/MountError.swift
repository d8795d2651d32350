import CFUSE
import CLibFUSE3
import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// The mount failed.
public struct MountError: Error, CustomStringConvertible, Sendable {
    public let mountPoint: FilePath
    /// Why the mount was taken back at once; nil where libfuse3 or fusermount3 have said on standard error why there was none.
    public let cause: Errno?

    public var description: String {
        "cannot mount on \(mountPoint)" + (cause.map { ": it is not to be found in the mount table: \($0)" } ?? "")
    }
}
