import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What a load client can be doing.
public enum LoadOperation: UInt64, Sendable, CaseIterable {
    case none, setUp, create, stat, rename, link, symlink, readlink, mkdir, rmdir, readdir, unlink, chmod, truncate,
        open
    case read, directRead, write, directWrite, fsync, fsyncDirectory, mapped, mappedSync, close, statfs, cleanUp, lookup
    case notify

    package static func name(_ number: UInt64) -> String {
        LoadOperation(rawValue: number).map { "\($0)" } ?? "\(number)"
    }
}
