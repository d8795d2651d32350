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
        guard let text = text("status") else { return nil }
        var seen = 0
        for line in text.split(separator: "\n") {
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
        guard isCapable(capability), let namespace = namespace("../../\(process)/ns/user") else { return false }
        return namespace == self.namespace("../ns/user")
    }

    /// Whether it has a capability over the files of this user in its own user namespace, where that is another one.
    func isPrivileged(_ capability: LoopbackFS.Capability, over user: UInt32) -> Bool {
        guard isCapable(capability), let text = text("uid_map") else { return false }
        return text.split(separator: "\n").contains { line in
            // First id there, first id here, how many.
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            return numbers.count == 3 && UInt64(user) >= numbers[1] && UInt64(user) - numbers[1] < numbers[2]
        }
    }

    /// Whether an idmapped mount of this FUSE connection is in its mount namespace.
    func seesIdmappedMount(of connection: UInt32) -> Bool {
        guard let text = text("mountinfo") else { return false }
        return text.split(separator: "\n").compactMap { MountTable.parse(String($0)) }.contains { mount in
            mount.major == 0 && mount.minor == connection && mount.options.contains("idmapped")
        }
    }

    private func isCapable(_ capability: LoopbackFS.Capability) -> Bool {
        capabilities & 1 << UInt64(capability.rawValue) != 0
    }

    /// One of its files below `/proc/PID`.
    private func text(_ file: String) -> String? {
        let path = "../../\(process)/\(file)"
        guard let descriptor = try? Errno.check({ unsafe clinux_openat(descriptors, path, O_RDONLY | O_CLOEXEC, 0) })
        else {
            return nil
        }
        defer { close(descriptor) }
        return try? readWhole(descriptor)
    }

    /// What identifies a namespace: `user:[4026531837]`.
    private func namespace(_ path: String) -> [CChar]? {
        var target = [CChar](repeating: 0, count: 64)
        guard (try? Errno.check { unsafe readlinkat(descriptors, path, &target, target.count) }) != nil else {
            return nil
        }
        return target
    }
}
