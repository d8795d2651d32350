import SystemPackage

/// A path as the kernel sees it: any bytes but NUL, kept as they were written.
///
/// Not a `FilePath`, which tidies up what several checks are about: doubled and trailing slashes.
struct Path: Hashable, Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    var bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ string: String) {
        bytes = Array(string.utf8)
    }

    init(stringLiteral value: String) {
        self.init(value)
    }

    static func / (directory: Path, name: Path) -> Path {
        Path(bytes: directory.bytes + [UInt8(ascii: "/")] + name.bytes)
    }

    /// Calls `body` with the path as a C string.
    func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
        return try terminated.withUnsafeBufferPointer { buffer throws(Failure) in
            try body(buffer.baseAddress!)
        }
    }

    /// For people: bytes that are not printable ASCII are escaped, and a long path is cut in the middle.
    var description: String {
        let shown = bytes.map { byte in
            byte > 0x20 && byte < 0x7f ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
        }
        guard shown.count > 120 else { return shown.joined() }
        return shown.prefix(40).joined() + "…(\(bytes.count) bytes)…" + shown.suffix(20).joined()
    }
}
