import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// What a client does to the mount under test.
public enum LoadKind: String, Sendable, CaseIterable, Codable {
    /// All of the others in turn, by chance.
    case mixed
    case metadata
    case read
    case write
    case mmap
}
