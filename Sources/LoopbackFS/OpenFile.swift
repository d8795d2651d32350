import CFUSE
import CLinux
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// A file that a client opened (OPEN, CREATE, TMPFILE).
final class OpenFile: Sendable {
    let inode: Inode
    /// An open file description of its own for each open of a client: flock(2) locks belong to it.
    let backing: BackingFile
    /// The client's flags of open(2).
    let flags: CInt
    /// The file is append-only (chattr(1) +a) and open for writing: whatever is written goes to its end.
    let isAppendOnly: Bool

    init(inode: Inode, backing: BackingFile, flags: CInt, isAppendOnly: Bool) {
        self.inode = inode
        self.backing = backing
        self.flags = flags
        self.isAppendOnly = isAppendOnly
    }

    /// Opened without O_DIRECT, once a client that opened it with has need of that.
    private let bufferedBacking = Lock<BackingFile?>(nil)

    var descriptor: CInt { backing.descriptor.rawValue }
    /// Whether what is written through it stays where it was written.
    var takesPages: Bool { flags & O_ACCMODE != O_RDONLY && !isAppendOnly }

    /// The backing file without O_DIRECT; `open` opens it when it is first asked for. Two that ask at once may both.
    func buffered(_ open: () throws(Errno) -> BackingFile) throws(Errno) -> BackingFile {
        if let present = bufferedBacking.withLock({ $0 }) { return present }
        let new = try open()
        return bufferedBacking.withLock { backing in
            if let present = backing { return present }
            backing = new
            return new
        }
    }
}
