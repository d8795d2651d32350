public import CFUSE
public import SystemPackage

/// A message as it lies in an entry of the ring: a header that kernel and daemon both write (`struct fuse_uring_req_header`), and a
/// payload, which holds names and data of the request and then the reply's body.
///
/// Everything that is read from an entry or written to one goes through here, so that no length on the wire is beyond the payload.
/// Kernels before Linux 7.3 believe the length that a reply says, and end in a BUG, with the ring's thread and its clients, if the
/// payload is shorter.
// Safe: every length is checked against the header and the payload that `init` was given.
@safe
@usableFromInline
package struct RingMessage {
    @usableFromInline let header: UnsafeMutableRawPointer
    /// What the kernel copies into and out of.
    @usableFromInline package internal(set) var payload: UnsafeMutableRawBufferPointer
    /// Whether the data of the request, a READ or a WRITE, stays in the client's pages. Only of an entry whose queue has a pool
    /// (``takeBuffer(of:size:)``).
    @usableFromInline package internal(set) var isZeroCopied = false

    /// Bytes of the header.
    @inlinable package static var headerSize: Int { MemoryLayout<cfuse_uring_req_header>.size }

    /// Where the header's parts lie; CFUSE.c checks it against the struct.
    @usableFromInline
    enum Offset {
        /// `fuse_in_header`, and `fuse_out_header` in its place.
        @inlinable static var inOut: Int { 0 }
        /// The opcode's own struct.
        @inlinable static var operation: Int { 128 }
        @inlinable static var operationEnd: Int { 256 }
        // Of `fuse_uring_ent_in_out`:
        static var flags: Int { 256 }
        @inlinable static var commitID: Int { 256 + 8 }
        @inlinable static var payloadSize: Int { 256 + 16 }
        static var payloadOffset: Int { 256 + 20 }
    }

    /// - Parameters:
    ///   - header: ``headerSize`` bytes, aligned to 8, that stay valid as long as this is used; the payload likewise.
    ///   - payload: as long as the kernel takes it to be, and no longer: INIT has settled that.
    @inlinable
    package init(header: UnsafeMutableRawPointer, payload: UnsafeMutableRawBufferPointer) {
        unsafe self.header = unsafe header
        unsafe self.payload = unsafe payload
    }

    /// What the registration names: the header and the payload.
    @inlinable
    package var parts: (header: UnsafeMutableRawBufferPointer, payload: UnsafeMutableRawBufferPointer) {
        unsafe (UnsafeMutableRawBufferPointer(start: header, count: RingMessage.headerSize), payload)
    }

    // MARK: The request

    /// Length, opcode, unique id, node and caller of the request.
    @inlinable
    package var requestHeader: fuse_in_header {
        unsafe header.load(fromByteOffset: Offset.inOut, as: fuse_in_header.self)
    }

    /// What the commit of the reply has to name.
    @inlinable
    package var commitID: UInt64 { unsafe header.load(fromByteOffset: Offset.commitID, as: UInt64.self) }

    /// Bytes that the request has beyond its struct, wherever they are.
    @inlinable
    var payloadSize: Int { unsafe Int(header.load(fromByteOffset: Offset.payloadSize, as: UInt32.self)) }

    /// The opcode's own struct of a request that is of this type. The reply leaves it alone.
    @inlinable
    package func operation<Argument: BitwiseCopyable>(_ type: Argument.Type) -> Argument {
        assert(MemoryLayout<Argument>.size <= Offset.operationEnd - Offset.operation)
        return unsafe header.load(fromByteOffset: Offset.operation, as: type)
    }

    /// Takes for its payload the buffer that the kernel has picked for this request out of its queue's pool.
    ///
    /// A request that has nothing to be copied, one way or the other, gets none, and its offset says nothing: the buffer at 0 may be
    /// another's. Its payload is empty then.
    /// - Parameters:
    ///   - pool: the region that the kernel cuts into buffers.
    ///   - size: bytes of each of them.
    /// - Throws: EIO if there is no such buffer.
    package mutating func takeBuffer(of pool: UnsafeMutableRawBufferPointer, size: Int) throws(Errno) {
        unsafe payload = unsafe UnsafeMutableRawBufferPointer(rebasing: pool[..<0])
        isZeroCopied =
            unsafe header.load(fromByteOffset: Offset.flags, as: UInt64.self) & CFUSE_URING_ENT_ZERO_COPY != 0
        let opcode = Opcode(rawValue: requestHeader.opcode)
        guard isZeroCopied ? opcode == .write : payloadSize > 0 || opcode.hasBody else { return }
        let offset = unsafe Int(header.load(fromByteOffset: Offset.payloadOffset, as: UInt32.self))
        guard offset % size == 0 && offset + size <= pool.count else { throw .ioError }
        unsafe payload = unsafe UnsafeMutableRawBufferPointer(rebasing: pool[offset..<offset + size])
    }

    /// The request, split by its opcode's layout.
    ///
    /// - Throws: EIO if it claims more payload than there is.
    @inlinable
    @_lifetime(borrow self)
    package func request() throws(Errno) -> Request {
        let size = payloadSize
        if isZeroCopied {
            return unsafe request(payload: UnsafeRawBufferPointer(rebasing: payload[..<0]), pagesCount: size)
        }
        guard unsafe size <= payload.count else { throw .ioError }
        return unsafe request(payload: UnsafeRawBufferPointer(rebasing: payload[..<size]), pagesCount: 0)
    }

    /// The request, with a payload that has been brought from where it was.
    @inlinable
    @_lifetime(borrow self)
    package func request(payload: UnsafeRawBufferPointer, pagesCount: Int) -> Request {
        let head = requestHeader
        let arguments = unsafe UnsafeRawBufferPointer(
            start: header + Offset.operation,
            count: min(Opcode(rawValue: head.opcode).argumentSize, Offset.operationEnd - Offset.operation))
        let request = unsafe Request(
            header: head, arguments: arguments.bytes, payload: payload.bytes, pagesCount: pagesCount)
        return unsafe _overrideLifetime(request, borrowing: self)
    }

    // MARK: The reply

    /// Puts a reply's body into the payload.
    ///
    /// - Returns: its length, for ``writeReply(to:count:)``.
    /// - Throws: EIO if the payload is too short for it.
    @inlinable
    package func write(body: RawSpan) throws(Errno) -> Int {
        guard unsafe body.byteCount <= payload.count else { throw .ioError }
        unsafe body.withUnsafeBytes { unsafe payload.copyMemory(from: $0) }
        return body.byteCount
    }

    /// Writes the header of a reply whose body, of `count` bytes, lies in the payload. More than the payload holds cannot be there:
    /// the client gets EIO.
    @inlinable
    package func writeReply(to unique: UInt64, count: Int) {
        guard unsafe count >= 0 && count <= payload.count else { return writeReply(to: unique, error: .ioError) }
        writeReply(to: unique, error: 0, count: count)
    }

    /// Writes the header of the reply to a READ whose data, of `count` bytes, was put into the client's pages. More than it asked for
    /// cannot be there: the client gets EIO.
    @inlinable
    package func writeReply(to unique: UInt64, inPages count: Int) {
        guard count >= 0 && count <= operation(fuse_read_in.self).size else {
            return writeReply(to: unique, error: .ioError)
        }
        writeReply(to: unique, error: 0, count: count)
    }

    /// Writes the header of a reply that is an error.
    @inlinable
    package func writeReply(to unique: UInt64, error: Errno) {
        writeReply(to: unique, error: error.rawValue, count: 0)
    }

    @inlinable
    func writeReply(to unique: UInt64, error: CInt, count: Int) {
        unsafe header.storeBytes(
            of: Message.replyHeader(to: unique, error: error, count: count), toByteOffset: Offset.inOut,
            as: fuse_out_header.self)
        unsafe header.storeBytes(of: UInt32(count), toByteOffset: Offset.payloadSize, as: UInt32.self)
    }
}
