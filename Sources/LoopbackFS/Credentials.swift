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

    /// Runs `body`, which changes a file's content or ACL, as one who may not keep its set-id bits: without CAP_FSETID.
    func droppingSetID<Value>(as caller: Caller, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        try prepareThread()
        // Fails only for a daemon that lacks the capability anyway.
        let dropped = clinux_set_effective_capability(Credentials.fsetid, 0) == 0
        defer { if dropped { _ = clinux_set_effective_capability(Credentials.fsetid, 1) } }
        return try switched(to: caller, body)
    }

    /// Whether the caller's change of this file's content clears its set-id bits, where the request does not say so
    /// itself (FALLOCATE, COPY_FILE_RANGE). Looks at the file first: few have such bits.
    func mustDropSetID(of descriptor: CInt, for caller: Caller) throws(Errno) -> Bool {
        guard try Credentials.hasSetID(descriptor) else { return false }
        if let capabilities = effectiveCapabilities(of: caller) {
            return capabilities & 1 << UInt64(Credentials.fsetid) == 0
        }
        return caller.user != 0
    }

    /// Whether the file has a set-id bit.
    static func hasSetID(_ descriptor: CInt) throws(Errno) -> Bool {
        try Attributes.of(descriptor).hasSetID
    }

    /// `CapEff` of `/proc/PID/status`; nil if the process cannot be seen.
    private func effectiveCapabilities(of caller: Caller) -> UInt64? {
        guard caller.process != 0 else { return nil }
        let path = "../../\(caller.process)/status"
        guard let file = try? Errno.check({ clinux_openat(descriptors, path, O_RDONLY | O_CLOEXEC, 0) }) else {
            return nil
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        guard let count = try? Errno.check({ read(file, &bytes, bytes.count) }) else { return nil }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }) else { return nil }
        return UInt64(line.dropFirst("CapEff:".count).drop(while: { $0 == "\t" }), radix: 16)
    }

    private func switched<Value>(to caller: Caller?, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        guard let caller, canSwitch, caller.user != Caller.unknown, caller.group != Caller.unknown,
            caller.user != user || caller.group != group
        else { return try body() }
        // Only the caller's: the daemon's own supplementary groups must not count as theirs.
        var groups = caller.supplementaryGroup ?? caller.group
        _ = clinux_setgroups(1, &groups)
        _ = clinux_setfsgid(caller.group)
        _ = clinux_setfsuid(caller.user)
        defer {
            _ = clinux_setfsuid(user)
            _ = clinux_setfsgid(group)
            _ = clinux_setgroups(0, nil)
        }
        return try body()
    }
}
