import CFUSE
import CLinux
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// Entries read ahead from a directory's descriptor.
// Safe: the buffer is its own, and entries are read as far as getdents64(2) has filled it.
@safe
struct DirectoryReader: ~Copyable {
    /// Bytes asked from getdents64(2) at a time.
    private static let bufferSize = 32768

    /// Allocated with the first read.
    private var buffer: UnsafeMutableRawBufferPointer?
    private var filled = 0
    private var position = 0
    /// The offset (`d_off`) of the entry at `position`.
    private var offset: UInt64 = 0

    /// One entry; its name lies in the reader's buffer.
    // Safe: used up before the reader reads on.
    @safe
    struct Entry {
        let inode: UInt64
        let nextOffset: UInt64
        /// `DT_REG` and the like.
        let type: UInt8
        let name: UnsafePointer<CChar>
        let nameLength: Int
        fileprivate let size: Int
    }

    init() {}

    deinit {
        unsafe buffer?.deallocate()
    }

    /// Goes to an offset that an earlier entry gave, or to the start. The start is always read anew: rewinddir(3).
    mutating func seek(to target: UInt64, in descriptor: CInt) throws(Errno) {
        if target == offset && target != 0 { return }
        if target != 0 || offset != 0 || filled != 0 {
            _ = try Errno.check { lseek(descriptor, Int(bitPattern: UInt(target)), SEEK_SET) }
        }
        filled = 0
        position = 0
        offset = target
    }

    /// The entry at the present offset, which stays there until it is taken; nil at the end.
    mutating func peek(_ descriptor: CInt) throws(Errno) -> Entry? {
        if position >= filled {
            let buffer = unsafe self.buffer ?? .allocate(byteCount: DirectoryReader.bufferSize, alignment: 8)
            unsafe self.buffer = unsafe buffer
            filled = 0
            position = 0
            filled = try Errno.check { unsafe clinux_getdents64(descriptor, buffer.baseAddress, buffer.count) }
            if filled == 0 { return nil }
        }
        // struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name.
        let start = unsafe buffer!.baseAddress! + position
        let name = unsafe (start + 19).assumingMemoryBound(to: CChar.self)
        return unsafe Entry(
            inode: start.load(as: UInt64.self), nextOffset: start.load(fromByteOffset: 8, as: UInt64.self),
            type: start.load(fromByteOffset: 18, as: UInt8.self), name: UnsafePointer(name), nameLength: strlen(name),
            size: Int(start.load(fromByteOffset: 16, as: UInt16.self)))
    }

    /// Goes on to the next entry.
    mutating func take(_ entry: Entry) {
        position += entry.size
        offset = entry.nextOffset
    }
}
