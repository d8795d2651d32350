import Glibc
public import SystemPackage

/// The mounts of this process's namespace. Reading them touches no filesystem, so a wedged mount cannot block it.
public enum MountTable {
    /// All mounts, in the kernel's order: of two on one mount point the later is on top.
    public static func read(_ path: FilePath = "/proc/self/mountinfo") throws(Errno) -> [MountEntry] {
        try readBytes(path).split(separator: UInt8(ascii: "\n")).compactMap { parse($0) }
    }

    /// The topmost mount on this absolute, normalised path.
    public static func top(at path: FilePath) throws(Errno) -> MountEntry? {
        try read().last { $0.path == path }
    }

    /// The topmost mount on this absolute, normalised path.
    public static func top(at mountPoint: String) throws(Errno) -> MountEntry? {
        try top(at: FilePath(mountPoint))
    }

    /// Parses one line; nil if it is none of mountinfo's.
    public static func parse(_ line: String) -> MountEntry? { parse(Array(line.utf8)[...]) }

    private static func parse(_ line: ArraySlice<UInt8>) -> MountEntry? {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        // Of the optional fields there may be none or several; a lone hyphen ends them.
        guard fields.count >= 10, let separator = fields[6...].firstIndex(of: [UInt8(ascii: "-")]),
            fields.count > separator + 3
        else { return nil }
        func text(_ index: Int) -> String { String(decoding: fields[index], as: UTF8.self) }
        let device = text(2).split(separator: ":").compactMap { UInt32($0) }
        guard device.count == 2, let mountID = Int(text(0)), let parentID = Int(text(1)) else { return nil }
        return MountEntry(
            mountID: mountID, parentID: parentID, major: device[0], minor: device[1],
            root: FilePath(bytes: unescape(fields[3])), path: FilePath(bytes: unescape(fields[4])), options: text(5),
            type: String(decoding: unescape(fields[separator + 1]), as: UTF8.self),
            source: String(decoding: unescape(fields[separator + 2]), as: UTF8.self), superOptions: text(separator + 3))
    }

    /// Undoes the kernel's octal escapes (space, tab, newline, backslash).
    private static func unescape(_ source: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = source.startIndex
        while index < source.endIndex {
            if source[index] == UInt8(ascii: "\\"), index + 3 < source.endIndex,
                let value = UInt8(String(decoding: source[index + 1...index + 3], as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                index += 4
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return bytes
    }
}

extension FilePath {
    /// A path of these bytes, up to the first NUL.
    public init(bytes: some Sequence<UInt8>) {
        self = unsafe (bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
            unsafe FilePath(platformString: $0.baseAddress!)
        }
    }
}

/// A whole small file, such as one of procfs or sysfs, which have no size to ask for.
public func readWhole(_ path: FilePath) throws(Errno) -> String {
    String(decoding: try readBytes(path), as: UTF8.self)
}

private func readBytes(_ path: FilePath) throws(Errno) -> [UInt8] {
    let descriptor = try openForReading(path)
    defer { close(descriptor) }
    return try readBytes(descriptor)
}

/// What is left to read of such a file.
public func readWhole(_ descriptor: CInt) throws(Errno) -> String {
    String(decoding: try readBytes(descriptor), as: UTF8.self)
}

private func readBytes(_ descriptor: CInt) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = try Errno.check { unsafe read(descriptor, &chunk, chunk.count) }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}

private func openForReading(_ path: FilePath) throws(Errno) -> CInt {
    try Errno.check { unsafe path.withPlatformString { unsafe open($0, O_RDONLY | O_CLOEXEC) } }
}
