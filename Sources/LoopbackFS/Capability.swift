import CLinux
import SystemPackage

extension LoopbackFS {
    /// The capabilities (capabilities(7)) that serving a source to everybody takes; the raw value is the kernel's number.
    package enum Capability: CInt, Sendable, CaseIterable {
        case chown = 0
        case dacOverride = 1
        case dacReadSearch = 2
        case fowner = 3
        case fsetid = 4
        case setgid = 6
        case setuid = 7
        case setpcap = 8
        case sysAdmin = 21
        case mknod = 27

        /// CAP_SYS_RESOURCE, which the daemon must not use for its callers.
        static let sysResource: CInt = 24

        /// As `CAP_SETGID`.
        package var name: String {
            switch self {
            case .chown: "CAP_CHOWN"
            case .dacOverride: "CAP_DAC_OVERRIDE"
            case .dacReadSearch: "CAP_DAC_READ_SEARCH"
            case .fowner: "CAP_FOWNER"
            case .fsetid: "CAP_FSETID"
            case .setgid: "CAP_SETGID"
            case .setuid: "CAP_SETUID"
            case .setpcap: "CAP_SETPCAP"
            case .sysAdmin: "CAP_SYS_ADMIN"
            case .mknod: "CAP_MKNOD"
            }
        }

        /// What this process cannot do without it, whoever asks.
        package var promise: String {
            switch self {
            case .chown: "change owners"
            case .dacOverride: "reach what its own user may not"
            case .dacReadSearch: "hold inodes by file handle"
            case .fowner: "change modes and times of others' files"
            case .fsetid: "keep set-group-id bits that the caller may set"
            case .setgid, .setuid: "create files as their callers: that fails with EPERM"
            case .setpcap: "create files as callers whom the source would not let in itself"
            case .sysAdmin: "keep trusted attributes"
            case .mknod: "make device nodes"
            }
        }

        /// Whether the calling thread has it (in its effective set).
        package var isHeld: Bool { clinux_has_effective_capability(rawValue) != 0 }

        /// Those that this process lacks. All of them, for most processes that are not root's.
        package static var missing: [Capability] { allCases.filter { !$0.isHeld } }
    }
}
