import CFUSE

/// One name of a directory, as readdir(3) has it.
public struct DirectoryEntry: Hashable, Sendable {
    /// The name.
    public var name: FileName
    /// The inode number that clients see.
    public var number: UInt64
    /// What the file is.
    public var kind: FileKind

    /// A name that leads to a file whose inode number is its node's id.
    public init(_ name: FileName, _ node: NodeID, _ kind: FileKind) {
        self.init(name, number: node.rawValue, kind)
    }

    /// A name that leads to a file of this inode number.
    public init(_ name: FileName, number: UInt64, _ kind: FileKind) {
        self.name = name
        self.number = number
        self.kind = kind
    }
}

/// Where a READDIR's names go, until no more fit.
///
/// Each name is given the position that the listing goes on from after it: any number but 0 that the filesystem knows the place by,
/// also when names were removed and made since.
public struct DirectoryList: ~Copyable, ~Escapable {
    private var buffer: ReplyBuffer
    private let timeouts: Timeouts
    /// Whether names come with what a LOOKUP would reply (READDIRPLUS): only with ``InitFlags/readdirplus``.
    public let takesEntries: Bool

    @_lifetime(copy buffer)
    init(_ buffer: consuming ReplyBuffer, takesEntries: Bool, timeouts: Timeouts) {
        self.buffer = buffer
        self.takesEntries = takesEntries
        self.timeouts = timeouts
    }

    var byteCount: Int { buffer.count }

    /// Adds a name that leads to a file of this inode number, with the position after it.
    ///
    /// - Returns: false, with nothing added, if it does not fit any more.
    @_lifetime(self: copy self)
    public mutating func append(_ name: RawSpan, number: UInt64, _ kind: FileKind, next: UInt64) -> Bool {
        // Of no node: the kernel takes it for a name that was not looked up.
        takesEntries
            ? buffer.appendEntryPlus(
                fuse_entry_out(), inode: number, nextOffset: next, type: kind.entryType, name: name, limit: .max)
            : buffer.appendEntry(inode: number, nextOffset: next, type: kind.entryType, name: name, limit: .max)
    }

    /// Adds a name, with the position after it.
    ///
    /// - Returns: false, with nothing added, if it does not fit any more.
    @_lifetime(self: copy self)
    public mutating func append(_ entry: DirectoryEntry, next: UInt64) -> Bool {
        unsafe append(entry.name.bytes.span.bytes, number: entry.number, entry.kind, next: next)
    }

    /// Adds a name with what a LOOKUP would reply, and with the position after it. Where ``takesEntries`` says so it is one more reference to the node if it was added
    /// (never for `.` and `..`, which are to be added without an entry).
    ///
    /// - Returns: false, with nothing added, if it does not fit any more.
    @_lifetime(self: copy self)
    public mutating func append(_ name: RawSpan, _ entry: Entry, next: UInt64) -> Bool {
        let number = entry.attributes.number ?? entry.node.rawValue
        guard takesEntries else { return append(name, number: number, entry.attributes.kind, next: next) }
        return buffer.appendEntryPlus(
            timeouts.encoded(entry), inode: number, nextOffset: next, type: entry.attributes.kind.entryType, name: name,
            limit: .max)
    }

    /// Adds what follows a position of a whole directory whose positions are the numbers of its entries, from 1 on.
    @_lifetime(self: copy self)
    mutating func append(_ entries: [DirectoryEntry], from position: UInt64) {
        for index in Int(min(position, UInt64(entries.count)))..<entries.count {
            guard append(entries[index], next: UInt64(index) + 1) else { return }
        }
    }
}
