/// What an OPEN or CREATE reply tells the kernel of the file: `FOPEN_*`.
public struct OpenReplyFlags: OptionSet, Hashable, Sendable {
    /// As the ABI has them (`FOPEN_*` of `<linux/fuse.h>`).
    public let rawValue: UInt32

    /// The flags of a number.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Reads and writes bypass the page cache.
    @inlinable public static var directIO: OpenReplyFlags { OpenReplyFlags(rawValue: 1 << 0) }
    /// Cached data stays valid over this open.
    @inlinable public static var keepCache: OpenReplyFlags { OpenReplyFlags(rawValue: 1 << 1) }
    /// The directory's entries may be cached.
    @inlinable public static var cacheDirectory: OpenReplyFlags { OpenReplyFlags(rawValue: 1 << 3) }
    /// No FLUSH on close.
    @inlinable public static var noFlush: OpenReplyFlags { OpenReplyFlags(rawValue: 1 << 5) }
    /// Direct writes that do not extend the file need not wait for each other.
    @inlinable public static var parallelDirectWrites: OpenReplyFlags { OpenReplyFlags(rawValue: 1 << 6) }
    /// Reads and writes go to `backing_id`.
    @inlinable package static var passthrough: OpenReplyFlags { OpenReplyFlags(rawValue: 1 << 7) }
    /// Data of reads and writes stays in the client's pages, where a ring's queue was made for that.
    @inlinable package static var zeroCopy: OpenReplyFlags { OpenReplyFlags(rawValue: 1 << 8) }
}
