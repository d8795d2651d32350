import CFUSE
public import SystemPackage

/// A message as it is read from `/dev/fuse`: header, argument struct and payload, one behind the other.
public enum Message {
    /// The smallest buffer that read(2) of `/dev/fuse` accepts (`FUSE_MIN_READ_BUFFER`).
    public static let minimumBufferSize = 8192
    /// Bytes of header and argument struct before a WRITE's data.
    public static let writeHeaderSize = MemoryLayout<fuse_in_header>.size + MemoryLayout<fuse_write_in>.size

    /// Splits a message by its opcode's layout.
    ///
    /// An unknown opcode has no argument struct: all of it is payload, and the session answers ENOSYS.
    /// - Throws: EIO if the message is shorter than it says, or than its opcode's struct.
    @_lifetime(copy bytes)
    public static func split(_ bytes: RawSpan) throws(Errno) -> Request {
        let headerSize = MemoryLayout<fuse_in_header>.size
        guard bytes.byteCount >= headerSize else { throw .ioError }
        let header = bytes.unsafeLoadUnaligned(as: fuse_in_header.self)
        guard header.len >= UInt32(headerSize), Int(header.len) <= bytes.byteCount else { throw .ioError }
        let body = bytes.extracting(headerSize..<Int(header.len))
        let argumentSize = Opcode(rawValue: header.opcode).layout?.argumentSize ?? 0
        guard body.byteCount >= argumentSize else { throw .ioError }
        return Request(
            header: header, arguments: body.extracting(first: argumentSize),
            payload: body.extracting(droppingFirst: argumentSize))
    }
}
