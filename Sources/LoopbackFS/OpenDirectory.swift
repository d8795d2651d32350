import CFUSE
import CLinux
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// A directory that a client opened, and how far it was read.
final class OpenDirectory: Sendable {
    let inode: Inode
    let backing: BackingFile
    /// Locked over getdents64(2) and lseek(2): they share the descriptor's position. Taken before an ``InodeTable`` shard's.
    private let reader = Lock(DirectoryReader())

    init(inode: Inode, backing: BackingFile) {
        self.inode = inode
        self.backing = backing
    }

    /// Calls `body` with the directory's reader, one thread at a time.
    func withReader(_ body: (inout DirectoryReader) throws(Errno) -> Void) throws(Errno) {
        try reader.withLock(body)
    }
}
