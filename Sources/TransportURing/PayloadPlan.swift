import CLinux
import FUSEProtocol
import FUSEServer
import LinuxSystem
import SystemPackage

/// What becomes of a ``PayloadSetting`` on this kernel, with these privileges.
struct PayloadPlan: Equatable {
    /// Nil where each entry has a payload of its own.
    var pool: PoolPlan?
    var registration = Wish.off
    var zeroCopy = Wish.off
    /// Why something that was not ruled out is not done.
    var reason: String?

    /// How much something is wanted.
    enum Wish: Equatable {
        case off
        /// Done without if it cannot be had.
        case wanted
        /// Asked for by name.
        case demanded

        fileprivate init(_ said: Bool?) {
            self = said.map { $0 ? .demanded : .off } ?? .wanted
        }
    }

    /// - Parameters:
    ///   - queues: of the kernel.
    ///   - isPrivileged: whether the process has CAP_SYS_ADMIN.
    /// - Throws: what was asked for by name and cannot be had.
    init(
        _ setting: PayloadSetting, queues: Int, depth: Int, limits: Limits, offered: InitFlags,
        isPrivileged: Bool = clinux_has_effective_capability(21 /* CAP_SYS_ADMIN */) == 1
    ) throws(TransportError) {
        let asked = Wish(setting.zeroCopy)
        let isDemanded = asked == .demanded || setting.isRegistered == true
        if setting.pool == .off {
            guard !isDemanded else {
                throw .unavailable(cause: "zero copy and registered pools take pools", remedy: "leave out no_pool")
            }
            return
        }
        guard offered.contains(.bufferPools) else {
            let cause = "the kernel has no buffer pools for the ring"
            let remedy = "they take Linux 7.3 (FUSE protocol 7.46)"
            if isDemanded || setting.pool != .automatic { throw .unavailable(cause: cause, remedy: remedy) }
            reason = "\(cause): \(remedy)"
            return
        }
        let plan = try PoolPlan(setting.pool, queues: queues, depth: depth, bufferSize: limits.entryPayloadSize)
        pool = plan
        registration = Wish(setting.isRegistered)
        if registration == .wanted && !plan.isSmall { registration = .off }
        guard asked != .off else { return }
        guard isPrivileged else {
            let cause = "zero copy takes CAP_SYS_ADMIN"
            if asked == .demanded { throw .unavailable(cause: cause, remedy: "run the daemon as root") }
            reason = cause
            return
        }
        zeroCopy = asked
    }
}
