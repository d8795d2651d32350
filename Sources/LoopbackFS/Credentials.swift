import CFUSE
import CLinux
import FUSEProtocol
import Glibc
import LinuxSystem
import SystemPackage

/// Credentials of the calling thread around a system call on the source.
///
/// The kernel has checked permissions already (`default_permissions`), so capabilities are kept when the file-system ids
/// change: what the backing filesystem shall take from the caller is ownership, quota and what set-id bits mean.
struct Credentials: Sendable {
    /// False for unprivileged daemons, which create everything as themselves. With one of the two capabilities that it
    /// takes, ids are switched as far as that goes, and what goes no further is an error.
    private let switches: Bool
    private let own: Identity
    /// The process's `/proc/self/fd`, which becomes the working directory of threads that come by here.
    private let descriptors: CInt

    init(descriptors: CInt) {
        self.descriptors = descriptors
        own = Identity.ofProcess()
        switches = LoopbackFS.Capability.setuid.isHeld || LoopbackFS.Capability.setgid.isHeld
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
        guard let caller else { return try body() }
        // A creating request always tells them: the kernel refuses callers whose ids it cannot.
        guard caller.hasIDs else { throw .notPermitted }
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
        try without(.fsetid, body)
    }

    private func without<Value>(
        _ capability: LoopbackFS.Capability, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        // Fails only for a daemon that lacks the capability anyway.
        let dropped = clinux_set_effective_capability(capability.rawValue, 0) == 0
        defer { if dropped { _ = clinux_set_effective_capability(capability.rawValue, 1) } }
        return try body()
    }

    /// Runs `body`, which takes an entry out of a sticky directory, as one who may do so only as its owner.
    ///
    /// The kernel looked at the file that it knew by the name. The name may be another's by now, and only the system call
    /// itself sees whose.
    ///
    /// - Parameters:
    ///   - connection: what serves the mount, to tell its idmapped mounts.
    ///   - owner: of the entry at present.
    func removingFromSticky<Value>(
        as caller: Caller, connection: UInt32, owner: () -> UInt32?, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try prepareThread()
        // Of a process of another pid namespace nothing can be told.
        guard let process = ProcessStatus(caller.process, descriptors: descriptors), !process.has(.fowner) else {
            return try body()
        }
        do throws(Errno) {
            return try without(.fowner) { () throws(Errno) in try switched(to: process.identity, body) }
        } catch .notPermitted {
            // Through an idmapped mount the caller has other ids in the source than its own.
            if process.seesIdmappedMount(of: connection) { return try body() }
            // Root of a user namespace is as good as the owner of the files that are its users'.
            guard let owner = owner(), process.isPrivileged(.fowner, over: owner) else { throw .notPermitted }
            let identity = Identity(user: owner, group: process.identity.group, groups: [])
            return try without(.fowner) { () throws(Errno) in try switched(to: identity, body) }
        }
    }

    private func switchedToProcess<Value>(
        of caller: Caller, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        if let process = ProcessStatus(caller.process, descriptors: descriptors) {
            return try switched(to: process.identity, body)
        }
        guard caller.hasIDs else { return try body() }
        return try switched(to: caller, body)
    }

    /// Whether the caller's change of this file's content clears its set-id bits, where the request does not say so
    /// itself (FALLOCATE, COPY_FILE_RANGE). Looks at the file first: few have such bits.
    func mustDropSetID(of descriptor: CInt, for caller: Caller) throws(Errno) -> Bool {
        guard try Attributes.of(descriptor).hasSetID else { return false }
        guard let process = ProcessStatus(caller.process, descriptors: descriptors) else { return caller.user != 0 }
        return !process.has(.fsetid)
    }

    /// Whether the caller has a capability; false if that cannot be told.
    func has(_ capability: LoopbackFS.Capability, _ caller: Caller) -> Bool {
        ProcessStatus(caller.process, descriptors: descriptors)?.has(capability) ?? false
    }

    private func switched<Value>(to caller: Caller, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        if caller.user == own.user && caller.group == own.group { return try body() }
        // Only the caller's: the daemon's own supplementary groups must not count as theirs.
        var group = caller.supplementaryGroup ?? caller.group
        return try unsafe withUnsafePointer(to: &group) { group throws(Errno) in
            try unsafe switched(caller.user, caller.group, UnsafeBufferPointer(start: group, count: 1), body)
        }
    }

    private func switched<Value>(to caller: Identity, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        try unsafe caller.groups.withUnsafeBufferPointer { groups throws(Errno) in
            try unsafe switched(caller.user, caller.group, groups, body)
        }
    }

    private func switched<Value>(
        _ user: UInt32, _ group: UInt32, _ groups: UnsafeBufferPointer<UInt32>, _ body: () throws(Errno) -> Value
    ) throws(Errno) -> Value {
        guard switches else { return try body() }
        return try unsafe SwitchedIdentity(user: user, group: group, groups: groups, own: own).run(body)
    }
}
