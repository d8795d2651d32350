import CFUSE
import FUSEProtocol
import FUSEServer
import LinuxSystem
import SystemPackage

// From Swift's types to the kernel's, where it takes more than a field for a field.

extension Request {
    /// The node that the request is about.
    var nodeID: NodeID { NodeID(rawValue: node) }
}

extension OpenFlags {
    init(_ flags: UInt32) { self.init(rawValue: Int32(bitPattern: flags)) }
}

extension OpenReply {
    var encoded: fuse_open_out { fuse_open_out(fh: handle.rawValue, open_flags: flags.rawValue, padding: 0) }
}

extension SpaceUsage {
    var encoded: fuse_statfs_out {
        fuse_statfs_out(
            st: fuse_kstatfs(
                blocks: blocks, bfree: freeBlocks, bavail: availableBlocks, files: files, ffree: freeFiles,
                bsize: blockSize, namelen: nameLength, frsize: blockSize, padding: 0, spare: (0, 0, 0, 0, 0, 0)))
    }
}

extension ReplyBuffer {
    /// Appends what GETXATTR and LISTXATTR reply: the value, or for `size` 0 its length.
    ///
    /// - Throws: ERANGE if it is longer than `size`.
    @_lifetime(self: copy self)
    mutating func append(attribute value: [UInt8], size: Int) throws(Errno) {
        guard size > 0 else { return try append(fuse_getxattr_out(size: UInt32(value.count), padding: 0)) }
        guard value.count <= size else { throw .outOfRange }
        try unsafe append(value.span.bytes)
    }
}

extension ReadResult {
    /// The bytes of an answer that comes later: `count` at most.
    func read(_ count: Int) throws(Errno) -> [UInt8] {
        switch self {
        case .buffer: return []
        case .bytes(let bytes): return bytes.count <= count ? bytes : Array(bytes[..<count])
        case .file(let file, let offset):
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: MemoryPage.size)
            defer { unsafe room.deallocate() }
            return unsafe Array(room[..<(try BackingIO.read(file, offset: offset, into: room).count)])
        }
    }
}

extension ReaddirResult {
    /// The bytes of an answer that comes later: `size` at most.
    func encoded(from position: UInt64, size: Int, plus: Bool, _ timeouts: Timeouts) -> [UInt8] {
        guard case .entries(let all) = self else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { room, count in
            var list = unsafe DirectoryList(
                ReplyBuffer(UnsafeMutableRawBufferPointer(room)), takesEntries: plus, timeouts: timeouts)
            list.append(all, from: position)
            count = list.byteCount
        }
    }
}

/// A reply's body that is written down for later.
func encoded<Value>(
    _ value: Value, _ encode: (Value, inout ReplyBuffer) throws(Errno) -> Void
) throws(Errno) -> [UInt8] {
    // Larger than any reply's struct or attribute.
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Message.largestAttribute + 4096, alignment: 8)
    defer { unsafe room.deallocate() }
    var reply = unsafe ReplyBuffer(room)
    try encode(value, &reply)
    return reply.bytes
}
