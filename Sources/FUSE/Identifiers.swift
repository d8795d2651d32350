import CFUSE

/// What the kernel calls a file by: a number that the filesystem gave it in the reply to a LOOKUP.
///
/// It means the same file as long as the kernel holds references to it, that is until ``FileSystem/forget(_:count:)`` has taken
/// back as many as replies have given. It need not be the inode number that clients see (``Attributes/number``).
public struct NodeID: RawRepresentable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// The number, never 0.
    public var rawValue: UInt64

    /// The node of a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The node of a number.
    public init(integerLiteral value: UInt64) { rawValue = value }

    /// The root directory: the one node that exists without a LOOKUP, and that is never forgotten.
    public static var root: NodeID { NodeID(rawValue: 1) }
}

/// What a filesystem calls an open file or directory by: any number that it chose in the reply to an OPEN, CREATE or OPENDIR.
public struct HandleID: RawRepresentable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// The number.
    public var rawValue: UInt64

    /// The handle of a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The handle of a number.
    public init(integerLiteral value: UInt64) { rawValue = value }
}

/// A name to keep: the bytes of a directory entry or of an extended attribute, any but NUL.
///
/// Requests have a ``Name`` instead, which lies in the message and is gone with it.
public struct FileName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name, without a NUL behind it.
    public let bytes: [UInt8]

    /// A name of these bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The name of a text.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// The name of a text.
    public init(stringLiteral text: String) { self.init(text) }

    /// A copy of a request's name.
    public init(_ name: borrowing Name) {
        bytes = unsafe name.bytes.withUnsafeBytes { unsafe Array($0) }
    }

    /// For messages: what is not UTF-8 is replaced.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension Name {
    /// Whether a request's name is this one; it copies nothing.
    public static func == (name: borrowing Name, text: StaticString) -> Bool { name.equals(text) }
}

extension Request {
    /// The caller's user id, in the daemon's user namespace.
    public var user: UInt32 { header.uid }
    /// The caller's group id; of its other groups the kernel tells nothing.
    public var group: UInt32 { header.gid }
    /// The caller's thread id; 0 from another pid namespace.
    public var thread: UInt32 { header.pid }
}
