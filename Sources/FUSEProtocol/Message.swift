public import CFUSE
package import SystemPackage

/// A message as it is read from `/dev/fuse`: header, argument struct and payload, one behind the other.
@usableFromInline
package enum Message {
    /// The smallest buffer that read(2) of `/dev/fuse` accepts (`FUSE_MIN_READ_BUFFER`), and the smallest payload of a ring's entry.
    @inlinable package static var minimumBufferSize: Int { 8192 }
    /// Bytes of header and argument struct before a WRITE's data.
    @inlinable package static var writeHeaderSize: Int {
        MemoryLayout<fuse_in_header>.size + MemoryLayout<fuse_write_in>.size
    }
    /// Bytes of the largest payload that no agreement about data bounds: a SETXATTR's, with a name of XATTR_NAME_MAX bytes and its
    /// NUL, and a value of XATTR_SIZE_MAX.
    ///
    /// Values and lists of attributes that are replied are no longer than that, and two names of PATH_MAX with their extensions are
    /// shorter. READ, READDIR and IOCTL are bounded by `max_pages`, WRITE by `max_write`.
    @inlinable package static var largestAttribute: Int { 255 + 1 + (64 << 10) }

    /// Splits a message by its opcode's layout.
    ///
    /// An unknown opcode has no argument struct: all of it is payload, and the session answers ENOSYS.
    /// - Throws: EIO if the message is shorter than it says, or than its opcode's struct.
    @_lifetime(copy bytes)
    package static func split(_ bytes: RawSpan) throws(Errno) -> Request {
        let headerSize = MemoryLayout<fuse_in_header>.size
        guard bytes.byteCount >= headerSize else { throw .ioError }
        let header = unsafe bytes.unsafeLoadUnaligned(as: fuse_in_header.self)
        guard header.len >= UInt32(headerSize), Int(header.len) <= bytes.byteCount else { throw .ioError }
        let body = bytes.extracting(headerSize..<Int(header.len))
        let argumentSize = Opcode(rawValue: header.opcode).argumentSize
        guard body.byteCount >= argumentSize else { throw .ioError }
        return Request(
            header: header, arguments: body.extracting(first: argumentSize),
            payload: body.extracting(droppingFirst: argumentSize))
    }

    /// The header of a reply.
    ///
    /// - Parameters:
    ///   - error: an errno, or 0.
    ///   - count: bytes of the body; 0 with an error.
    @inlinable
    package static func replyHeader(to unique: UInt64, error: CInt, count: Int) -> fuse_out_header {
        fuse_out_header(len: UInt32(MemoryLayout<fuse_out_header>.size + count), error: -error, unique: unique)
    }
}
