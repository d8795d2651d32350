public import SystemPackage

/// A name in a request: bytes in the kernel's encoding (any but NUL), with their terminating NUL behind them.
///
/// It is passed to system calls as it lies in the message, without a copy.
public struct Name: ~Escapable {
    /// The name and its NUL.
    @usableFromInline let terminated: RawSpan

    /// The bytes up to the first NUL of `bytes`.
    ///
    /// - Throws: EINVAL if there is no NUL.
    @inlinable
    @_lifetime(copy bytes)
    package init(in bytes: RawSpan) throws(Errno) {
        var end = 0
        while end < bytes.byteCount, unsafe bytes.unsafeLoad(fromUncheckedByteOffset: end, as: UInt8.self) != 0 {
            end += 1
        }
        guard end < bytes.byteCount else { throw .invalidArgument }
        terminated = bytes.extracting(first: end + 1)
    }

    /// Bytes of the name, without the NUL.
    @inlinable public var byteCount: Int { terminated.byteCount - 1 }

    /// The name without its NUL.
    public var bytes: RawSpan {
        @_lifetime(copy self)
        get { terminated.extracting(first: byteCount) }
    }

    /// Whether this is the name of exactly these bytes.
    package func equals(_ other: StaticString) -> Bool {
        guard other.utf8CodeUnitCount == byteCount else { return false }
        for index in 0..<byteCount
        where unsafe terminated.unsafeLoad(fromByteOffset: index, as: UInt8.self) != other.utf8Start[index] {
            return false
        }
        return true
    }

    /// Whether it may name a directory entry: neither empty nor `.` nor `..`, and no slash in it.
    package var isEntry: Bool {
        if byteCount == 0 || equals(".") || equals("..") { return false }
        for index in 0..<byteCount
        where unsafe terminated.unsafeLoad(fromByteOffset: index, as: UInt8.self) == UInt8(ascii: "/") {
            return false
        }
        return true
    }

    /// Calls `body` with the name as a C string.
    @inlinable
    public func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe terminated.withUnsafeBytes { bytes throws(Failure) in
            try unsafe body(bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
        }
    }

    /// A copy, for messages and for work that outlives the request.
    public var string: String {
        unsafe terminated.withUnsafeBytes { unsafe String(decoding: $0.dropLast(), as: UTF8.self) }
    }
}
