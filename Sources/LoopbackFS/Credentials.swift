import CFUSE
import CLinux
import FUSEProtocol
import Glibc
import LinuxSystem
import SystemPackage

/// Who asked: what a request tells of the process behind it.
struct Caller {
    /// `UInt32.max` if the kernel sent none (idmapped mounts, where only creating requests carry ids).
    let user: UInt32
    let group: UInt32
    /// 0 if it is of another pid namespace.
    let process: UInt32
    /// The caller's group that matches the parent directory's.
    let supplementaryGroup: UInt32?

    static let unknown = UInt32.max

    init(_ request: borrowing Request) {
        user = request.header.uid
        group = request.header.gid
        process = request.header.pid
        supplementaryGroup = request.supplementaryGroup
    }
}

/// Credentials of the calling thread around a system call on the source.
///
/// The kernel has checked permissions already (`default_permissions`), so capabilities are kept when the file-system ids
/// change: what the backing filesystem shall take from the caller is ownership, quota and what set-id bits mean.
struct Credentials: Sendable {
    /// Capabilities, of `<linux/capability.h>`.
    static let dacReadSearch: CInt = 2
    static let fsetid: CInt = 4
    private static let setuid: CInt = 7

    /// The ids can be switched: unprivileged daemons create everything as themselves.
    private let canSwitch: Bool
    private let user: UInt32
    private let group: UInt32
    /// The process's `/proc/self/fd`, which becomes the working directory of threads that come by here.
    private let descriptors: CInt

    init(descriptors: CInt) {
        self.descriptors = descriptors
        user = geteuid()
        group = getegid()
        canSwitch = clinux_has_effective_capability(Credentials.setuid) != 0
    }

    /// Prepares the calling thread: a umask and a working directory (`/proc/self/fd`) of its own, capabilities that stay.
    ///
    /// Paths such as `12` then lead to the file of descriptor 12, O_PATH or not, for the system calls that take nothing
    /// but a path, and no absolute path is ever walked, which might lead into the mount itself.
    func prepareThread() throws(Errno) {
        _ = try Errno.check { clinux_prepare_thread(descriptors) }
    }

    /// Runs `body`, which creates a file, as the caller and with the caller's umask; nil stands for the daemon itself.
    ///
    /// The umask is the thread's and not taken from the mode beforehand: where the directory has a default ACL, the
    /// backing filesystem leaves it aside.
    func creating<Value>(
        as caller: Caller?, umask: UInt32, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try prepareThread()
        clinux_set_thread_umask(umask & 0o777)
        return try switched(to: caller, body)
    }

    /// Runs `body`, which changes a file's content or ACL, as one who may not keep its set-id bits: without CAP_FSETID and
    /// with the caller's groups, which decide over set-group-id. Slow; for the few files that have such bits.
    func droppingSetID<Value>(as caller: Caller, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        try prepareThread()
        return try withoutSetIDCapability { () throws(Errno) in try switchedToProcess(of: caller, body) }
    }

    /// Runs `body` without CAP_FSETID and with the ids that the thread has: within ``creating(as:umask:_:)``, where they are
    /// the request's own, which an idmapped mount has mapped.
    func withoutSetIDCapability<Value>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        // Fails only for a daemon that lacks the capability anyway.
        let dropped = clinux_set_effective_capability(Credentials.fsetid, 0) == 0
        defer { if dropped { _ = clinux_set_effective_capability(Credentials.fsetid, 1) } }
        return try body()
    }

    private func switchedToProcess<Value>(
        of caller: Caller, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        if let process = ProcessStatus(caller.process, descriptors: descriptors) {
            return try switched(user: process.user, group: process.group, groups: process.groups, body)
        }
        return try switched(to: caller, body)
    }

    /// Whether the caller's change of this file's content clears its set-id bits, where the request does not say so
    /// itself (FALLOCATE, COPY_FILE_RANGE). Looks at the file first: few have such bits.
    func mustDropSetID(of descriptor: CInt, for caller: Caller) throws(Errno) -> Bool {
        guard try Attributes.of(descriptor).hasSetID else { return false }
        guard let process = ProcessStatus(caller.process, descriptors: descriptors) else { return caller.user != 0 }
        return process.capabilities & 1 << UInt64(Credentials.fsetid) == 0
    }

    private func switched<Value>(to caller: Caller?, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        guard let caller, caller.user != Caller.unknown, caller.group != Caller.unknown,
            caller.user != user || caller.group != group
        else { return try body() }
        // Only the caller's: the daemon's own supplementary groups must not count as theirs.
        var groups = caller.supplementaryGroup ?? caller.group
        return try withUnsafePointer(to: &groups) { groups throws(Errno) in
            try switched(
                user: caller.user, group: caller.group, groups: UnsafeBufferPointer(start: groups, count: 1), body)
        }
    }

    private func switched<Value>(
        user: UInt32, group: UInt32, groups: [UInt32], _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try groups.withUnsafeBufferPointer { groups throws(Errno) in
            try switched(user: user, group: group, groups: groups, body)
        }
    }

    private func switched<Value>(
        user: UInt32, group: UInt32, groups: UnsafeBufferPointer<UInt32>, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        guard canSwitch else { return try body() }
        _ = clinux_setgroups(groups.count, groups.baseAddress)
        _ = clinux_setfsgid(group)
        _ = clinux_setfsuid(user)
        defer {
            _ = clinux_setfsuid(self.user)
            _ = clinux_setfsgid(self.group)
            _ = clinux_setgroups(0, nil)
        }
        return try body()
    }
}

/// What `/proc/PID/status` tells of a caller, for the few decisions that take more than a request tells.
private struct ProcessStatus {
    /// The ids that it accesses files with.
    var user: UInt32 = 0
    var group: UInt32 = 0
    var groups: [UInt32] = []
    /// The effective ones (`CapEff`).
    var capabilities: UInt64 = 0

    /// nil if the process cannot be seen, such as one in another pid namespace.
    ///
    /// - Parameter descriptors: of the directory `/proc/self/fd`.
    init?(_ process: UInt32, descriptors: CInt) {
        guard process != 0 else { return nil }
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
            case "Uid:" where fields.count == 5: user = UInt32(fields[4]) ?? 0
            case "Gid:" where fields.count == 5: group = UInt32(fields[4]) ?? 0
            case "Groups:": groups = fields.dropFirst().compactMap { UInt32($0) }
            case "CapEff:" where fields.count == 2: capabilities = UInt64(fields[1], radix: 16) ?? 0
            default: continue
            }
            seen += 1
        }
        guard seen == 4 else { return nil }
    }
}
