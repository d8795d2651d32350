import Glibc

/// Pages of this machine's memory.
public enum MemoryPage {
    /// Bytes of one.
    public static let size = sysconf(CInt(_SC_PAGESIZE))

    /// Pages that hold so many bytes.
    public static func count(for bytes: Int, size: Int = size) -> Int { (bytes + size - 1) / size }
}
