import BenchCore
import Foundation
import LinuxSystem

/// What this machine can run, as far as that is known before it is tried.
public struct Availability: Sendable {
    /// Whether FUSE is there, the ring is switched on, the user is root. Reasons; nil where all is well.
    public var fuse: String?
    public var ring: String?
    public var root: String?
    /// Why a guest with this kernel cannot be had, by ``MatrixConfiguration/KernelChoice/specification``.
    public var kernels: [String: String] = [:]

    public init(fuse: String? = nil, ring: String? = nil, root: String? = nil, kernels: [String: String] = [:]) {
        self.fuse = fuse
        self.ring = ring
        self.root = root
        self.kernels = kernels
    }

    /// This machine.
    public static var current: Availability {
        var result = Availability()
        if access("/dev/fuse", F_OK) != 0 { result.fuse = "there is no /dev/fuse: the fuse module is not loaded" }
        switch RingSetting.current {
        case .on: break
        case .off: result.ring = "FUSE over io_uring is switched off; as root: echo 1 > \(RingSetting.path)"
        case .absent:
            result.ring = "this kernel has no FUSE over io_uring (Linux 6.14 or later with CONFIG_FUSE_IO_URING)"
        }
        if geteuid() != 0 { result.root = "needs root" }
        return result
    }

    /// Why this cell cannot be run here; nil if it can be tried.
    public func obstacle(_ entry: MatrixPlan.Entry, _ configuration: MatrixConfiguration) -> String? {
        if let guest = entry.guest {
            // What a guest lacks the suite says there.
            switch entry.cell.suite {
            case "xfstests": return kernels[guest.kernel] ?? Self.xfstests(configuration)
            case "bench": return "guests are no place to measure time; bench --steady counts instructions there"
            default: return kernels[guest.kernel]
            }
        }
        if entry.cell.suite == MatrixConfiguration.ringFuzz {
            return "ring-fuzz may take a machine down: it is run in guests (--kernel)"
        }
        if let fuse { return fuse }
        if entry.target.transport?.usesRing == true, let ring { return ring }
        if let command = entry.target.command, let program = Target(.command(command)).missingProgram {
            return "there is no program '\(program)'"
        }
        if ["hostile-source", "xfstests"].contains(entry.cell.suite), let command = entry.target.command,
            !Target(.command(command)).hasSource
        {
            return "the daemon's command names no {source}"
        }
        switch entry.cell.suite {
        case "stop-path", "hostile-source": return root
        case "bench":
            return root ?? (Target(.command("fio")).missingProgram == nil ? nil : "there is no fio (apt install fio)")
        case "xfstests": return Self.xfstests(configuration) ?? root
        default: return nil
        }
    }

    private static func xfstests(_ configuration: MatrixConfiguration) -> String? {
        guard let checkout = configuration.xfstests else {
            return "no checkout of xfstests is named (--xfstests DIR or XFSTESTS_DIR)"
        }
        if FileManager.default.isExecutableFile(atPath: checkout + "/check") { return nil }
        return "\(checkout) is no checkout of xfstests: it has no program `check`"
    }
}
