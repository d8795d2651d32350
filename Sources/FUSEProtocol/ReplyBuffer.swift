public import CFUSE
public import SystemPackage

/// Where a handler writes its reply's body: the entry's payload on the ring, the worker's buffer on `/dev/fuse`.
///
/// Borrowed like ``Request``. The reply's header is the transport's business.
// Safe: cannot outlive the memory, and every length is checked against it.
@safe
public struct ReplyBuffer: ~Copyable, ~Escapable {
    @usableFromInline let memory: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    @inlinable
    public var count: Int { written }
    @usableFromInline var written = 0

    /// Over `memory`, which must stay valid as long as this.
    @inlinable
    @_lifetime(borrow memory)
    package init(_ memory: UnsafeMutableRawBufferPointer) {
        unsafe self.memory = unsafe memory
    }

    /// Bytes that still fit.
    @inlinable
    public var remaining: Int { unsafe memory.count - count }

    /// A copy of what was written so far.
    package var bytes: [UInt8] { unsafe Array(memory[..<count]) }

    /// Appends a struct of the ABI.
    ///
    /// - Throws: ERANGE if it does not fit.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func append<Value: BitwiseCopyable>(_ value: Value) throws(Errno) {
        guard remaining >= MemoryLayout<Value>.size else { throw .outOfRange }
        unsafe memory.storeBytes(of: value, toByteOffset: count, as: Value.self)
        written += MemoryLayout<Value>.size
    }

    /// Appends bytes.
    ///
    /// - Throws: ERANGE if they do not fit.
    @_lifetime(self: copy self)
    public mutating func append(_ bytes: RawSpan) throws(Errno) {
        guard remaining >= bytes.byteCount else { throw .outOfRange }
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
        unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        written += bytes.byteCount
    }

    /// Lets a system call write at the end, into at most `limit` bytes; `body` returns how many it wrote.
    @_lifetime(self: copy self)
    public mutating func append<Failure: Error>(
        atMost limit: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let room = min(max(limit, 0), remaining)
        unsafe written += min(try body(UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + room])), room)
    }
}

extension ReplyBuffer {
    /// Appends one entry of a READDIR reply, in at most `limit` bytes for the whole reply.
    ///
    /// - Returns: false, with nothing appended, if it does not fit any more.
    @_lifetime(self: copy self)
    package mutating func appendEntry(
        inode: UInt64, nextOffset: UInt64, type: UInt32, name: RawSpan, limit: Int
    ) -> Bool {
        let size = ReplyBuffer.paddedEntrySize(nameLength: name.byteCount)
        guard count + size <= limit, remaining >= size else { return false }
        appendUnchecked(inode: inode, nextOffset: nextOffset, type: type, name: name, size: size)
        return true
    }

    /// Appends one entry of a READDIRPLUS reply: what LOOKUP would say, and the directory entry.
    ///
    /// - Returns: false, with nothing appended, if it does not fit any more.
    @_lifetime(self: copy self)
    package mutating func appendEntryPlus(
        _ entry: fuse_entry_out, inode: UInt64, nextOffset: UInt64, type: UInt32, name: RawSpan, limit: Int
    ) -> Bool {
        let head = MemoryLayout<fuse_entry_out>.size
        let size = ReplyBuffer.paddedEntrySize(nameLength: name.byteCount)
        guard count + head + size <= limit, remaining >= head + size else { return false }
        unsafe memory.storeBytes(of: entry, toByteOffset: count, as: fuse_entry_out.self)
        written += head
        appendUnchecked(inode: inode, nextOffset: nextOffset, type: type, name: name, size: size)
        return true
    }

    /// Bytes that an entry of a READDIRPLUS reply takes, to know before its LOOKUP is counted whether it fits.
    @inlinable
    package static func entryPlusSize(nameLength: Int) -> Int {
        MemoryLayout<fuse_entry_out>.size + paddedEntrySize(nameLength: nameLength)
    }

    /// `struct fuse_dirent` (24 bytes) and the name, padded to 8 bytes (`FUSE_DIRENT_ALIGN`).
    @inlinable
    static func paddedEntrySize(nameLength: Int) -> Int {
        (24 + nameLength + 7) & ~7
    }

    @_lifetime(self: copy self)
    private mutating func appendUnchecked(inode: UInt64, nextOffset: UInt64, type: UInt32, name: RawSpan, size: Int) {
        unsafe memory.storeBytes(of: inode, toByteOffset: count, as: UInt64.self)
        unsafe memory.storeBytes(of: nextOffset, toByteOffset: count + 8, as: UInt64.self)
        unsafe memory.storeBytes(of: UInt32(name.byteCount), toByteOffset: count + 16, as: UInt32.self)
        unsafe memory.storeBytes(of: type, toByteOffset: count + 20, as: UInt32.self)
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count + 24..<count + size])
        unsafe name.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
        for index in name.byteCount..<room.count { unsafe room[index] = 0 }
        written += size
    }
}
