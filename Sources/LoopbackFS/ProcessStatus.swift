import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What `/proc/PID/status` tells of a caller, for the few decisions that take more than a request tells.
struct ProcessStatus {
    /// The ids that it accesses files with.
    private(set) var identity = Identity(user: 0, group: 0, groups: [])
    /// The effective ones (`CapEff`), in a user namespace that may be another than the daemon's.
    private var capabilities: UInt64 = 0
    private let process: UInt32
    private let descriptors: CInt

    /// nil if the process cannot be seen, such as one in another pid namespace.
    ///
    /// - Parameter descriptors: of the directory `/proc/self/fd`.
    init?(_ process: UInt32, descriptors: CInt) {
        guard process != 0 else { return nil }
        self.process = process
        self.descriptors = descriptors
        let path = "../../\(process)/status"
        guard let file = try? Errno.check({ clinux_openat(descriptors, path, O_RDONLY | O_CLOEXEC, 0) }) else {
            return nil
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        guard let count = try? Errno.check({ read(file, &bytes, bytes.count) }) else { return nil }
        var seen = 0
        for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n") {
            let fields = line.split { $0 == "\t" || $0 == " " }
            switch fields.first {
            case "Uid:" where fields.count == 5: identity.user = UInt32(fields[4]) ?? 0
            case "Gid:" where fields.count == 5: identity.group = UInt32(fields[4]) ?? 0
            case "Groups:": identity.groups = fields.dropFirst().compactMap { UInt32($0) }
            case "CapEff:" where fields.count == 2: capabilities = UInt64(fields[1], radix: 16) ?? 0
            default: continue
            }
            seen += 1
        }
        guard seen == 4 else { return nil }
    }
    /// Whether it has a capability in the daemon's user namespace. Root of a container has none there.
    func has(_ capability: LoopbackFS.Capability) -> Bool {
        guard capabilities & 1 << UInt64(capability.rawValue) != 0,
            let namespace = namespace("../../\(process)/ns/user")
        else { return false }
        return namespace == self.namespace("../ns/user")
    }

    /// What identifies a namespace: `user:[4026531837]`.
    private func namespace(_ path: String) -> [CChar]? {
        var target = [CChar](repeating: 0, count: 64)
        guard (try? Errno.check { readlinkat(descriptors, path, &target, target.count) }) != nil else { return nil }
        return target
    }
}
