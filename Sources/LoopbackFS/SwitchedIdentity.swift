import CLinux
import SystemPackage

/// The calling thread's file-system ids and supplementary groups are a caller's for as long as this lives, and the
/// daemon's own again after that.
struct SwitchedIdentity: ~Copyable {
    private let own: Identity

    /// - Throws: EPERM unless all of them could be switched; then none of them is.
    init(user: UInt32, group: UInt32, groups: UnsafeBufferPointer<UInt32>, own: Identity) throws(Errno) {
        self.own = own
        let hasGroups = unsafe clinux_setgroups(groups.count, groups.baseAddress) == 0
        _ = clinux_setfsgid(group)
        _ = clinux_setfsuid(user)
        // These two tell failure from success by nothing but the ids that are then in force.
        guard hasGroups, clinux_setfsgid(.max) == group, clinux_setfsuid(.max) == user else {
            SwitchedIdentity.switchBack(to: own)
            throw .notPermitted
        }
    }

    borrowing func run<Value>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        try body()
    }

    deinit {
        SwitchedIdentity.switchBack(to: own)
    }

    private static func switchBack(to own: Identity) {
        _ = clinux_setfsuid(own.user)
        _ = clinux_setfsgid(own.group)
        // Fails only without CAP_SETGID, and then they never were others.
        _ = unsafe own.groups.withUnsafeBufferPointer { unsafe clinux_setgroups($0.count, $0.baseAddress) }
        precondition(
            clinux_setfsuid(.max) == own.user && clinux_setfsgid(.max) == own.group,
            "a thread could not take its own ids back")
    }
}
