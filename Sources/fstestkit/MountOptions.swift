import FUSE
import LinuxSystem
import LoopbackFS
import SystemPackage

/// What `fstestkit mount` can be told, whether by long options or by `-o`.
struct MountOptions {
    var transport = TransportChoice()
    var maxWrite = 1 << 20
    var requestTimeout: UInt16 = 0
    /// Seconds that requests in hand get at the end; the threads get a third of that on top.
    var stopTimeout = 3
    var fileSystem: LoopbackFS.Configuration
    var logFile: String?
    /// The name that the mount table shows as the source.
    var fileSystemName: String?
    /// What follows `fuse.` in the mount table; mount(8) looks by it for whom to ask for a remount. Empty for plain `fuse`.
    var subtype = "fstestkit"
    /// Unmount when the daemon dies, however it does.
    var autoUnmount = false
    /// Do not follow symbolic links of this mount.
    var ignoresSymbolicLinks = false
    /// Let options pass that are not known, as mount(8) -s does.
    var isSloppy = false
    /// mount(8) asks for other flags of a mount that is there.
    var remount = false
    /// Options for the kernel, in mount(8)'s words.
    var kernel: [String] = []

    init(source: FilePath) {
        fileSystem = LoopbackFS.Configuration(source: source)
        transport.payloads.pool = .automatic
        transport.payloads.zeroCopy = nil
    }

    /// An option that is not known, or whose value is not.
    struct Refusal: Error {
        let message: String
    }

    /// Options that the kernel or libfuse3 take as they are.
    static let kernelOptions: Set<String> = [
        "rw", "ro", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "noatime",
        "nodiratime", "allow_other", "default_permissions",
    ]
    /// Options of fstab and of mount(8) that mean nothing to a mount that is being made.
    private static let ignoredOptions: Set<String> = [
        "defaults", "auto", "noauto", "nofail", "_netdev", "nouser", "nousers", "noowner", "nogroup", "atime",
        "diratime",
        "relatime", "norelatime", "nostrictatime", "lazytime", "nolazytime", "loud", "silent", "mand", "nomand",
        "iversion",
        "noiversion", "symfollow",
    ]
    /// Who may mount it is mount(8)'s business; what that implies, unless a later option says otherwise, is ours.
    private static let impliedOptions: [String: [String]] = [
        "user": ["noexec", "nosuid", "nodev"], "users": ["noexec", "nosuid", "nodev"], "owner": ["nosuid", "nodev"],
        "group": ["nosuid", "nodev"],
    ]
    /// With a value: what mount(8) keeps for itself, and what the mount table shows of a mount that is there (which mount(8)
    /// hands back to have it remounted).
    private static let ignoredValues: Set<String> = [
        "comment", "user", "uhelper", "helper", "user_id", "group_id", "rootmode", "blksize",
    ]

    /// Options in the form `name` or `name=value`, separated by commas; a backslash keeps a comma in a value.
    static func split(_ list: String) -> [String] {
        var parts = [""]
        var escaped = false
        // By scalars: an accent after a comma would be one character with it.
        for scalar in list.unicodeScalars {
            if escaped {
                parts[parts.count - 1].unicodeScalars.append(scalar)
                escaped = false
            } else if scalar == "\\" {
                escaped = true
            } else if scalar == "," {
                parts.append("")
            } else {
                parts[parts.count - 1].unicodeScalars.append(scalar)
            }
        }
        return parts.filter { !$0.isEmpty }
    }

    /// A value in the form that ``split(_:)`` and libfuse3 undo.
    static func escape(_ value: String) -> String { MountOptionText.escape(value) }

    /// Takes one option. Booleans are `name` or `no_name`.
    mutating func apply(_ option: String) throws(Refusal) {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        if parts.count == 2 {
            try apply(name, value: parts[1])
        } else if MountOptions.kernelOptions.contains(name) {
            kernel.append(name)
            if name == "noatime" { fileSystem.accessTimes = .never }
        } else if name == "strictatime" {
            fileSystem.accessTimes = .always
        } else if let implied = MountOptions.impliedOptions[name] {
            kernel += implied
        } else if name == "remount" {
            remount = true
        } else if name == "nosymfollow" {
            ignoresSymbolicLinks = true
        } else if name == "auto_unmount" {
            autoUnmount = true
        } else if !(MountOptions.ignoredOptions.contains(name) || MountOptions.isForOthers(name)) {
            try applyFlag(name)
        }
    }

    /// Notes of other programs in fstab(5).
    private static func isForOthers(_ name: String) -> Bool {
        name.hasPrefix("x-") || name.hasPrefix("X-") || name == "comment"
    }

    private mutating func applyFlag(_ name: String) throws(Refusal) {
        let on = !name.hasPrefix("no_")
        switch on ? name : String(name.dropFirst(3)) {
        case "direct_io": fileSystem.directIO = on
        case "writeback": fileSystem.writeback = on
        case "passthrough": fileSystem.passthrough = on
        case "posix_acl": fileSystem.posixACL = on
        case "xattr": fileSystem.extendedAttributes = on
        case "posix_lock": fileSystem.posixLocks = on
        case "flock": fileSystem.flockLocks = on
        case "pool": transport.payloads.pool = on ? .automatic : .off
        case "registered_pool": transport.payloads.registersPool = on
        case "zero_copy": transport.payloads.zeroCopy = on
        case "file_handles": fileSystem.fileHandles = on
        default: if !isSloppy { throw Refusal(message: "unknown option '\(name)'") }
        }
    }

    private mutating func apply(_ name: String, value: String) throws(Refusal) {
        switch name {
        case "transport": transport.name = try oneOf(name, value)
        case "fallback":
            guard value == "legacy" else { throw Refusal(message: "fallback takes legacy, not '\(value)'") }
            transport.fallsBack = true
        case "depth": transport.depth = try number(name, value, 1...4096)
        case "pool" where value == "auto": transport.payloads.pool = .automatic
        case "pool": transport.payloads.pool = .bytes(try size(name, value, 4096...(2 << 30)))
        case "rings": transport.rings = try number(name, value, 1...65536)
        case "threads": transport.threads = try number(name, value, 1...1024)
        case "max_write": maxWrite = try number(name, value, 4096...(16 << 20))
        case "request_timeout": requestTimeout = UInt16(try number(name, value, 0...65535))
        case "stop_timeout": stopTimeout = try number(name, value, 1...3600)
        case "cache": fileSystem.cache = try oneOf(name, value)
        case "attr_timeout": fileSystem.attributeTimeout = try seconds(name, value)
        case "entry_timeout": fileSystem.entryTimeout = try seconds(name, value)
        case "log_file": logFile = value
        case "fsname": fileSystemName = try bytes(name, value, 1...4000)
        // In whole blocks, as max_write: direct I/O is split at it.
        case "max_read": kernel.append("max_read=\(try number(name, value, 4096...(16 << 20)) / 4096 * 4096)")
        case "subtype": subtype = try bytes(name, value, 0...4000)
        default:
            if !isSloppy && !MountOptions.ignoredValues.contains(name) && !MountOptions.isForOthers(name) {
                throw Refusal(message: "unknown option '\(name)'")
            }
        }
    }

    private func number(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws(Refusal) -> Int {
        do throws(NumberError) {
            return try Numbers.count(value, range)
        } catch {
            throw Refusal(message: "\(name) takes \(error.wanted), not '\(value)'")
        }
    }

    /// Bytes, in KiB or MiB with a `K` or `M`.
    private func size(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws(Refusal) -> Int {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20]
        let unit = value.last.flatMap { units[$0] }
        guard let count = Int(unit == nil ? value : String(value.dropLast())), count <= range.upperBound / (unit ?? 1),
            range.contains(count * (unit ?? 1))
        else {
            throw Refusal(
                message: "\(name) takes bytes from \(range.lowerBound) to \(range.upperBound), as 4194304, 4096K or 4M,"
                    + " not '\(value)'")
        }
        return count * (unit ?? 1)
    }

    /// A text that the kernel takes in one page, together with what belongs to it.
    private func bytes(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws(Refusal) -> String {
        let count = SystemText.encode(value).count
        if range.contains(count) { return value }
        throw Refusal(message: "\(name) takes \(range.lowerBound) to \(range.upperBound) bytes, not \(count)")
    }

    /// Seconds, with a fraction, as nanoseconds.
    private func seconds(_ name: String, _ value: String) throws(Refusal) -> UInt64 {
        do throws(NumberError) {
            return UInt64(try Numbers.seconds(value, from: 0) * 1e9)
        } catch {
            throw Refusal(message: "\(name) takes \(error.wanted), not '\(value)'")
        }
    }

    private func oneOf<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ value: String
    ) throws(Refusal) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: value) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(message: "\(name) takes one of \(known), not '\(value)'")
        }
        return choice
    }
}
