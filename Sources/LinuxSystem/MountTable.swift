import Glibc
public import SystemPackage

/// One line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
public struct MountEntry: Sendable, Hashable {
    public var mountID: Int
    public var parentID: Int
    /// `st_dev` of the mounted filesystem. For FUSE the minor is the connection's number below
    /// `/sys/fs/fuse/connections`.
    public var major: UInt32
    public var minor: UInt32
    /// The directory of the filesystem that is mounted (`/` unless a bind mount).
    public var root: String
    public var mountPoint: String
    public var options: String
    public var type: String
    public var source: String
    public var superOptions: String

    /// FUSE in any of its forms, subtypes included.
    public var isFUSE: Bool {
        type == "fuse" || type == "fuseblk" || type.hasPrefix("fuse.") || type.hasPrefix("fuseblk.")
    }
}

/// The mounts of this process's namespace. Reading them touches no filesystem, so a wedged mount cannot block it.
public enum MountTable {
    /// All mounts, in the kernel's order: of two on one mount point the later is on top.
    public static func read(_ path: FilePath = "/proc/self/mountinfo") throws(Errno) -> [MountEntry] {
        try readWhole(path).split(separator: "\n").compactMap { parse(String($0)) }
    }

    /// The topmost mount on this absolute, normalised path.
    public static func top(at mountPoint: String) throws(Errno) -> MountEntry? {
        try read().last { $0.mountPoint == mountPoint }
    }

    /// Parses one line; nil if it is none of mountinfo's.
    public static func parse(_ line: String) -> MountEntry? {
        let halves = line.components(separatedBy: " - ")
        guard let tail = halves.last, halves.count >= 2 else { return nil }
        let head = halves[0].split(separator: " ").map(String.init)
        let rest = tail.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard head.count >= 6, rest.count >= 3, let mountID = Int(head[0]), let parentID = Int(head[1]) else {
            return nil
        }
        let device = head[2].split(separator: ":").compactMap { UInt32($0) }
        guard device.count == 2 else { return nil }
        return MountEntry(
            mountID: mountID, parentID: parentID, major: device[0], minor: device[1], root: unescape(head[3]),
            mountPoint: unescape(head[4]), options: head[5], type: unescape(rest[0]), source: unescape(rest[1]),
            superOptions: rest[2])
    }

    /// Undoes the kernel's octal escapes (space, tab, newline, backslash).
    static func unescape(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var bytes: [UInt8] = []
        let source = Array(text.utf8)
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "\\"), index + 3 < source.count,
                let value = UInt8(String(decoding: source[index + 1...index + 3], as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                index += 4
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// Foundation-free: this module is used where start-up time counts.
    func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        parts.append(String(rest))
        return parts
    }
}

/// A whole small file, such as one of procfs or sysfs, which have no size to ask for.
public func readWhole(_ path: FilePath) throws(Errno) -> String {
    let descriptor = try openForReading(path)
    defer { close(descriptor) }
    return try readWhole(descriptor)
}

/// What is left to read of such a file.
public func readWhole(_ descriptor: CInt) throws(Errno) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = try Errno.check { read(descriptor, &chunk, chunk.count) }
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

private func openForReading(_ path: FilePath) throws(Errno) -> CInt {
    try Errno.check { path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) } }
}
