import CFUSE
import FUSEProtocol

/// Who asked: what a request tells of the process behind it.
struct Caller {
    /// `UInt32.max` if the kernel sent none (idmapped mounts, where only creating requests carry ids).
    let user: UInt32
    let group: UInt32
    /// 0 if it is of another pid namespace.
    let process: UInt32
    /// The caller's group that matches the parent directory's.
    let supplementaryGroup: UInt32?

    private static let unknown = UInt32.max

    var hasIDs: Bool { user != Caller.unknown && group != Caller.unknown }

    init(_ request: borrowing Request) {
        user = request.header.uid
        group = request.header.gid
        process = request.header.pid
        supplementaryGroup = request.supplementaryGroup
    }
}
