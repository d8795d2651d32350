import LinuxSystem
import SystemPackage

/// What one operation came to: all of it must be the same on both sides.
struct OperationResult: Equatable {
    /// 0 for success.
    var errno: CInt = 0
    /// A count or position.
    var number: Int64 = 0
    /// Attributes, where the operation asks for them.
    var attributes: ComparedAttributes?
    /// Data, names or a value.
    var data: [UInt8] = []

    /// For a message.
    var description: String {
        if errno != 0 { return Errno(rawValue: errno).name }
        if let attributes { return "\(attributes)" }
        if !data.isEmpty {
            let text = data.prefix(60).allSatisfy { $0 >= 0x0a && $0 < 0x7f }
            return text && data.count < 200
                ? "\"\(String(decoding: data, as: UTF8.self).replacing("\n", with: " "))\""
                : "\(data.count) bytes \(Array(data.prefix(16)))…"
        }
        return "\(number)"
    }

    /// What is different, in a few words.
    func difference(from expected: OperationResult) -> (expected: String, got: String) {
        if errno == 0, expected.errno == 0, data.count == expected.data.count, data.count > 60,
            let at = zip(data, expected.data).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset
        {
            return ("byte \(expected.data[at]) at \(at) of \(data.count)", "byte \(data[at])")
        }
        return (expected.description, description)
    }
}

/// The attributes that two filesystems of one kind must agree on.
struct ComparedAttributes: Equatable, CustomStringConvertible {
    var kind: UInt16
    var mode: UInt16
    var links: UInt32
    var owner: UInt32
    var group: UInt32
    /// 0 for a directory: its size is its filesystem's business.
    var size: UInt64
    /// What a sequence has set; nil for any time of the clock. There is no atime: what a cache answers leaves it alone.
    var modified: FileTime?

    init(_ attributes: Attributes) {
        kind = attributes.kind.rawValue
        mode = attributes.mode.bits
        links = attributes.links
        owner = attributes.owner
        group = attributes.group
        size = attributes.kind == .directory ? 0 : attributes.size
        // Sequences set times of long ago; whatever is later came from the clock.
        // A fifo's are left out: the kernel writes to it without asking the daemon.
        modified = attributes.modified.seconds < 1_000_000 && attributes.kind != .fifo ? attributes.modified : nil
    }

    var description: String {
        "mode 0\(String(kind | mode, radix: 8)) links \(links) owner \(owner):\(group) size \(size) mtime "
            + (modified.map { "\($0)" } ?? "now")
    }
}
