/// What an OPEN or CREATE reply tells the kernel of the file: `FOPEN_*`.
public struct OpenReplyFlags: OptionSet, Hashable, Sendable {
    /// As the ABI has them (`FOPEN_*` of `<linux/fuse.h>`).
    public let rawValue: UInt32

    /// The flags of a number.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Reads and writes bypass the page cache.
    public static let directIO = OpenReplyFlags(rawValue: 1 << 0)
    /// Cached data stays valid over this open.
    public static let keepCache = OpenReplyFlags(rawValue: 1 << 1)
    /// The directory's entries may be cached.
    public static let cacheDirectory = OpenReplyFlags(rawValue: 1 << 3)
    /// No FLUSH on close.
    public static let noFlush = OpenReplyFlags(rawValue: 1 << 5)
    /// Direct writes that do not extend the file need not wait for each other.
    public static let parallelDirectWrites = OpenReplyFlags(rawValue: 1 << 6)
    /// Reads and writes go to `backing_id`.
    package static let passthrough = OpenReplyFlags(rawValue: 1 << 7)
}
