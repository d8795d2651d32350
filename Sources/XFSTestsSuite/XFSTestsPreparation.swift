public import BenchCore
import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// What a run needs of the machine, looked at before the first test, with the remedy for each lack.
public struct XFSTestsPreparation: Sendable {
    public struct Finding: Sendable, Hashable {
        public let name: String
        /// What is missing; nil if nothing is.
        public let lack: String?
        /// Without it the run does not start; otherwise some tests do not run.
        public let isRequired: Bool
        /// A command that helps; nil where none does.
        public let remedy: String?
    }

    public let findings: [Finding]

    public var lacks: [Finding] { findings.filter { $0.lack != nil } }
    public var isReady: Bool { !lacks.contains { $0.isRequired } }

    public init(
        checkout: FilePath, server: XFSTestsPlan.Server, backing: XFSTestsPlan.Backing, usesRing: Bool
    ) {
        var findings = [
            Finding(
                name: "root", lack: geteuid() == 0 ? nil : "user \(geteuid())", isRequired: true, remedy: nil),
            XFSTestsPreparation.built(checkout), XFSTestsPreparation.fuseDevice, XFSTestsPreparation.fuseControl,
            XFSTestsPreparation.helper(server), XFSTestsPreparation.openFiles, XFSTestsPreparation.temporaryFolder,
        ]
        findings += XFSTestsPreparation.users
        if usesRing { findings.append(XFSTestsPreparation.ring) }
        if case .image(let type) = backing, type != "tmpfs" {
            findings.append(
                XFSTestsPreparation.program("mkfs.\(type)", "\(type == "ext4" ? "e2fs" : type)progs", isRequired: true))
            let isThere = access("/dev/loop-control", F_OK) == 0
            findings.append(
                Finding(
                    name: "loop devices", lack: isThere ? nil : "no /dev/loop-control", isRequired: true,
                    remedy: "modprobe loop"))
        }
        for (name, package) in XFSTestsPackages.required {
            findings.append(XFSTestsPreparation.program(name, package, isRequired: true))
        }
        for (name, package) in XFSTestsPackages.further {
            findings.append(XFSTestsPreparation.program(name, package, isRequired: false))
        }
        self.findings = findings
    }

    private static func built(_ checkout: FilePath) -> Finding {
        let needed = ["check", "ltp/fsstress", "ltp/fsx", "tests/generic/group.list", "src/lstat64"]
        let missing = needed.filter { access(checkout.appending($0).string, F_OK) != 0 }
        return Finding(
            name: "built xfstests",
            lack: missing.isEmpty ? nil : "no \(missing.joined(separator: ", ")) in \(checkout)",
            isRequired: true, remedy: missing.contains("check") ? nil : "make -C '\(checkout)'")
    }

    private static var fuseDevice: Finding {
        Finding(
            name: "/dev/fuse", lack: access("/dev/fuse", R_OK | W_OK) == 0 ? nil : "not there", isRequired: true,
            remedy: "modprobe fuse")
    }

    private static var fuseControl: Finding {
        let isMounted = (try? MountTable.top(at: FuseControl.root)) != nil
        return Finding(
            name: "fusectl", lack: isMounted ? nil : "not mounted: a hung test could not be ended", isRequired: true,
            remedy: "mount -t fusectl fusectl \(FuseControl.root)")
    }

    private static var ring: Finding {
        let setting = RingSetting.current
        return Finding(
            name: "fuse.enable_uring",
            lack: setting == .on ? nil : setting == .absent ? "this kernel has no such parameter" : "off",
            isRequired: true, remedy: setting == .absent ? nil : "echo 1 > \(RingSetting.path)")
    }

    /// mount(8) calls /sbin/mount.fuse.TYPE, or else /sbin/mount.fuse, which looks in PATH.
    private static func helper(_ server: XFSTestsPlan.Server) -> Finding {
        var candidates = ["/sbin/mount.fuse"]
        if case .mountHelper(let type) = server { candidates.append("/sbin/mount.fuse.\(type)") }
        let isThere = candidates.contains { access($0, X_OK) == 0 }
        return Finding(
            name: "mount helper", lack: isThere ? nil : "no \(candidates.joined(separator: " and no "))",
            isRequired: true,
            remedy: XFSTestsPreparation.install("fuse3"))
    }

    /// The mount helper lies there, and mount(8) cuts a type at the last dot.
    private static var temporaryFolder: Finding {
        let path = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let resolved = realpath(path, nil)
        defer { free(resolved) }
        let hasDot = resolved.map { String(cString: $0).contains(".") } ?? true
        return Finding(
            name: "temporary folder", lack: hasDot ? "\(path) is missing or has a dot in its path" : nil,
            isRequired: true,
            remedy: nil)
    }

    private static var openFiles: Finding {
        let most = DescriptorLimit.current.hard
        return Finding(
            name: "open files", lack: most >= 4096 ? nil : "at most \(most)", isRequired: true,
            remedy: nil)
    }

    private static var users: [Finding] {
        ["fsgqa", "fsgqa2", "123456-fsgqa"].map { name in
            // Debian's useradd refuses a name that begins with a digit, unless told.
            let force = name.first!.isNumber ? "--badname " : ""
            return Finding(
                name: "user \(name)", lack: getpwnam(name) != nil ? nil : "no such user", isRequired: name == "fsgqa",
                remedy: "useradd -m \(force)\(name)")
        }
    }

    private static func install(_ package: String) -> String {
        "apt-get install -y --no-install-recommends \(package)"
    }

    /// Carries out the remedies, one after the other.
    ///
    /// - Parameter log: told of each command, and how it ended.
    public func prepare(_ log: (_ command: String, _ status: ExitStatus?) -> Void) {
        var done: Set<String> = []
        for remedy in lacks.compactMap(\.remedy) where done.insert(remedy).inserted {
            let environment = ["DEBIAN_FRONTEND": "noninteractive"]
            let status = try? ChildProcess.spawn(["sh", "-c", remedy], environment: environment).wait(.seconds(1800))
            log(remedy, status ?? nil)
        }
    }

    private static func program(_ name: String, _ package: String, isRequired: Bool) -> Finding {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        let isThere = folders.contains { access("\($0)/\(name)", X_OK) == 0 }
        return Finding(
            name: name, lack: isThere ? nil : "not installed", isRequired: isRequired, remedy: install(package))
    }
}
