import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A file's handle within its filesystem (`struct file_handle`, open_by_handle_at(2)), of up to 32 bytes.
///
/// It lies inline in every ``Inode``, so a million of them cost no allocation of their own. Filesystems with longer
/// handles (NFS, some stacked ones) are served as those without: by descriptor.
struct FileHandle: Equatable {
    private let type: Int32
    private let byteCount: UInt32
    private let words: SIMD4<UInt64>

    static let maximumSize = 32

    /// A handle made of parts, for filesystems whose format is known.
    init(type: Int32, byteCount: UInt32, words: SIMD4<UInt64>) {
        self.type = type
        self.byteCount = byteCount
        self.words = words
    }

    /// The handle of `path` in `directory`; with an empty path and AT_EMPTY_PATH, of the descriptor itself.
    ///
    /// - Throws: EOPNOTSUPP if the filesystem has none, or a longer one.
    init(of path: UnsafePointer<CChar>, in directory: CInt, flags: CInt) throws(Errno) {
        var raw = clinux_file_handle()
        var mount: CInt = 0
        _ = try Errno.check { unsafe clinux_name_to_handle_at(directory, path, &raw, &mount, flags) }
        guard raw.handle_bytes <= UInt32(FileHandle.maximumSize) else { throw .notSupported }
        type = raw.handle_type
        byteCount = raw.handle_bytes
        words = unsafe withUnsafeBytes(of: &raw.f_handle) { bytes in
            var words = SIMD4<UInt64>()
            unsafe withUnsafeMutableBytes(of: &words) {
                unsafe $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<Int(raw.handle_bytes)]))
            }
            return words
        }
    }

    /// The handle of a file, if the file can be opened by it.
    init?(tryingOn mount: CInt, of file: CInt) {
        guard let handle = unsafe try? FileHandle(of: "", in: file, flags: CLINUX_AT_EMPTY_PATH),
            let opened = try? handle.open(on: mount, flags: CLINUX_O_PATH | O_CLOEXEC)
        else { return nil }
        close(opened)
        self = handle
    }

    /// Opens the file. `mount` is any descriptor of its filesystem, but none of O_PATH.
    ///
    /// - Throws: ESTALE if it is gone, EPERM without CAP_DAC_READ_SEARCH.
    func open(on mount: CInt, flags: CInt) throws(Errno) -> CInt {
        var raw = clinux_file_handle()
        raw.handle_bytes = byteCount
        raw.handle_type = type
        unsafe withUnsafeMutableBytes(of: &raw.f_handle) { bytes in
            unsafe withUnsafeBytes(of: words) { unsafe bytes.copyMemory(from: $0) }
        }
        // ENOMEM is also Linux's word (`iget_locked`) for an inode number that a new file is just being given. Once it has it, this file's
        // handle is stale.
        for _ in 0..<FileHandle.patience {
            do throws(Errno) {
                return try Errno.check { unsafe clinux_open_by_handle_at(mount, &raw, flags) }
            } catch {
                guard error == .noMemory else { throw error }
                usleep(50)
            }
        }
        return try Errno.check { unsafe clinux_open_by_handle_at(mount, &raw, flags) }
    }

    /// How often a file that is being made is waited for, each time for a moment.
    private static let patience = 40

    /// 32 bits that tell this file from one that gets its inode number later: the generation that clients see.
    /// FNV-1a with a final mix; never 0, which says "no handle".
    var generation: UInt32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(UInt32(bitPattern: type))
        for index in 0..<4 {
            hash = (hash ^ words[index]) &* 0x0000_0100_0000_01b3
            hash ^= hash >> 32
        }
        let folded = UInt32(truncatingIfNeeded: hash ^ hash >> 29)
        return folded == 0 ? 1 : folded
    }

    /// The first 8, 16 and 24 bytes, for those who know a filesystem's format.
    subscript(word index: Int) -> UInt64 { words[index] }

    /// The filesystem's own number of its format (`handle_type`).
    var format: Int32 { type }
}
