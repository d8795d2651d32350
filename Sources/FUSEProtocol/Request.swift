public import CFUSE
public import SystemPackage

/// One request of the kernel, borrowed from the buffer that it arrived in.
///
/// It can be neither copied nor kept: the transport owns the bytes and takes them back with the reply. On `/dev/fuse`
/// header, arguments and payload lie one behind the other, on the ring in three places; from here on it is all the same.
public struct Request: ~Copyable, ~Escapable {
    /// Length, opcode, unique id, node and caller.
    public let header: fuse_in_header
    /// The opcode's own struct.
    public let arguments: RawSpan
    /// Names, data, or names and then data, and at last the extensions.
    public let payload: RawSpan

    /// Bytes of a WRITE's data that lie in the client's pages and not in ``payload``, where the transport alone reaches them (zero
    /// copy). A handler that needs to see them asks for that.
    @usableFromInline package let pagesCount: Int

    /// Of what a transport received. `arguments` and `payload` must be split by the opcode's layout.
    @inlinable
    @_lifetime(copy arguments, copy payload)
    package init(header: fuse_in_header, arguments: RawSpan, payload: RawSpan, pagesCount: Int = 0) {
        self.header = header
        self.arguments = arguments
        self.payload = payload
        self.pagesCount = pagesCount
    }

    /// What is asked for.
    @inlinable package var opcode: Opcode { Opcode(rawValue: header.opcode) }

    /// The inode that the request is about.
    @inlinable public var node: UInt64 { header.nodeid }

    /// The request's id, which an INTERRUPT names.
    @inlinable public var unique: UInt64 { header.unique }

    /// The opcode's own struct, decoded.
    ///
    /// - Throws: EINVAL if the message is too short for it.
    @inlinable
    public func argument<Argument: BitwiseCopyable>(_ type: Argument.Type = Argument.self) throws(Errno) -> Argument {
        guard arguments.byteCount >= MemoryLayout<Argument>.size else { throw .invalidArgument }
        return unsafe arguments.unsafeLoadUnaligned(as: type)
    }

    /// The only or first name of the payload.
    ///
    /// - Throws: EINVAL if it has no end.
    @inlinable
    @_lifetime(copy self)
    package func name() throws(Errno) -> Name {
        try Name(in: payload)
    }

    /// Both names of a RENAME or SYMLINK.
    ///
    /// - Throws: EINVAL if one of them has no end.
    @inlinable
    @_lifetime(copy self)
    package func secondName(after first: borrowing Name) throws(Errno) -> Name {
        try Name(in: payload.extracting(droppingFirst: first.byteCount + 1))
    }

    /// What follows the name: the value of a SETXATTR.
    @inlinable
    @_lifetime(copy self)
    package func data(after name: borrowing Name) -> RawSpan {
        payload.extracting(droppingFirst: name.byteCount + 1)
    }

    /// The caller's supplementary group that matches the parent directory's, where the kernel sent one
    /// (`FUSE_EXT_GROUPS`, with ``InitFlags/createSupplementaryGroup``).
    public var supplementaryGroup: UInt32? {
        let length = Int(header.total_extlen) * 8
        guard length > 0, length <= payload.byteCount else { return nil }
        var rest = payload.extracting(last: length)
        while rest.byteCount >= MemoryLayout<fuse_ext_header>.size {
            let head = unsafe rest.unsafeLoadUnaligned(as: fuse_ext_header.self)
            let size = Int(head.size)
            guard size >= MemoryLayout<fuse_ext_header>.size, size <= rest.byteCount else { return nil }
            if head.type == Request.groupsExtension, size >= 16 {
                let count = unsafe rest.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self)
                return unsafe count > 0 ? rest.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt32.self) : nil
            }
            rest = rest.extracting(droppingFirst: size)
        }
        return nil
    }

    /// `FUSE_EXT_GROUPS` (protocol 7.38).
    private static let groupsExtension: UInt32 = 32
}
