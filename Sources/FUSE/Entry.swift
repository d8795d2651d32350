/// What a name leads to: the reply to a LOOKUP and to whatever makes a name.
///
/// Each one that is replied is one more reference to the node, which ``FileSystem/forget(_:count:)`` takes back.
public struct Entry: Sendable {
    /// The node.
    public var node: NodeID
    /// What is known of it.
    public var attributes: Attributes
    /// Tells node ids that are used again for other files apart, for clients of NFS.
    public var generation: UInt64
    /// How long the kernel may take the name to lead there; nil for ``FileSystem/entryTimeout``.
    public var entryTimeout: Duration?
    /// How long the kernel may keep the attributes; nil for ``FileSystem/attributeTimeout``.
    public var attributeTimeout: Duration?

    /// A name that leads to this node.
    public init(
        _ node: NodeID, _ attributes: Attributes, generation: UInt64 = 0, entryTimeout: Duration? = nil,
        attributeTimeout: Duration? = nil
    ) {
        self.node = node
        self.attributes = attributes
        self.generation = generation
        self.entryTimeout = entryTimeout
        self.attributeTimeout = attributeTimeout
    }
}

/// The flags of open(2) that a request carries. O_CREAT and O_EXCL are the kernel's business and do not come.
public struct OpenFlags: RawRepresentable, Hashable, Sendable {
    /// As open(2) takes them.
    public let rawValue: Int32

    /// The flags of open(2).
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Whether the client may read.
    public var reads: Bool { rawValue & 3 != 1 }
    /// Whether the client may write.
    public var writes: Bool { rawValue & 3 != 0 }
    /// Whether the file shall be cut to nothing (O_TRUNC): only with ``InitFlags/atomicOpenTruncate``.
    public var truncates: Bool { rawValue & 0o1000 != 0 }
    /// Whether each write goes to the end of the file (O_APPEND). The kernel gives its writes the offset that it knows for the end.
    public var appends: Bool { rawValue & 0o2000 != 0 }
}

/// What an OPEN or OPENDIR replies.
public struct OpenReply: Hashable, Sendable {
    /// What further requests about this open file name.
    public var handle: HandleID
    /// What the kernel may do with it, or may not.
    public var flags: OpenReplyFlags

    /// An open file.
    public init(_ handle: HandleID, _ flags: OpenReplyFlags = []) {
        self.handle = handle
        self.flags = flags
    }
}

/// What a CREATE or TMPFILE replies: a file that was made, and that is open.
public struct Created: Sendable {
    /// The file.
    public var entry: Entry
    /// The open file.
    public var open: OpenReply

    /// A file that was made and opened.
    public init(_ entry: Entry, _ open: OpenReply) {
        self.entry = entry
        self.open = open
    }
}

/// The flags of renameat2(2).
public struct RenameFlags: OptionSet, Hashable, Sendable {
    /// As renameat2(2) takes them.
    public let rawValue: UInt32

    /// The flags of renameat2(2).
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The new name must not be there (RENAME_NOREPLACE). The kernel has looked, too.
    public static let noReplace = RenameFlags(rawValue: 1)
    /// Both names are there, and each gets the other's file (RENAME_EXCHANGE).
    public static let exchange = RenameFlags(rawValue: 2)
    /// The old name becomes a device that stands for nothing (RENAME_WHITEOUT).
    public static let whiteout = RenameFlags(rawValue: 4)
}

/// The flags of setxattr(2).
public struct XattrFlags: OptionSet, Hashable, Sendable {
    /// As setxattr(2) takes them.
    public let rawValue: UInt32

    /// The flags of setxattr(2).
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The attribute must not be there: EEXIST if it is.
    public static let create = XattrFlags(rawValue: 1)
    /// The attribute must be there: ENODATA if it is not.
    public static let replace = XattrFlags(rawValue: 2)
}

/// What lseek(2) looks for with SEEK_DATA and SEEK_HOLE; the kernel answers the other ways itself.
public enum SeekTarget: Sendable {
    /// The first byte from there on that is no hole; ENXIO if there is none.
    case data
    /// The first hole from there on; the end of the file counts as one.
    case hole
}

/// How full a filesystem is: statfs(2).
public struct SpaceUsage: Hashable, Sendable {
    /// Bytes of a block, in which space is counted.
    public var blockSize: UInt32
    /// Blocks in all.
    public var blocks: UInt64
    /// Blocks that are free.
    public var freeBlocks: UInt64
    /// Blocks that are free for everyone and not for root alone.
    public var availableBlocks: UInt64
    /// Files that there can be; 0 if there is no limit.
    public var files: UInt64
    /// Files that can still be made.
    public var freeFiles: UInt64
    /// Bytes of the longest name.
    public var nameLength: UInt32

    /// Space in blocks; all that is free is free for everyone.
    public init(
        blocks: UInt64 = 0, freeBlocks: UInt64 = 0, blockSize: UInt32 = 4096, files: UInt64 = 0, freeFiles: UInt64 = 0,
        nameLength: UInt32 = 255
    ) {
        self.blockSize = blockSize
        self.blocks = blocks
        self.freeBlocks = freeBlocks
        availableBlocks = freeBlocks
        self.files = files
        self.freeFiles = freeFiles
        self.nameLength = nameLength
    }
}

/// What poll(2) waits for or reports: `POLLIN` and its like.
public struct PollEvents: OptionSet, Hashable, Sendable {
    /// As poll(2) has them.
    public let rawValue: UInt32

    /// The events of poll(2).
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// There is something to read.
    public static let readable = PollEvents(rawValue: 0x1 | 0x40)
    /// Something can be written.
    public static let writable = PollEvents(rawValue: 0x4 | 0x100)
    /// The other end has gone.
    public static let hungUp = PollEvents(rawValue: 0x10)
}
