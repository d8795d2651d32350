import Foundation
import Glibc
package import SystemPackage

/// The root filesystem of all guests: Debian's smallest system of the machine's own release, so that programs of the machine run
/// there, and some packages. Guests change a copy that is thrown away.
package struct GuestRoot: Sendable {
    private let cache: MachineCache
    private let packages: [String]

    /// What every guest needs.
    private static let base = ["busybox-static", "iproute2", "kmod", "procps", "util-linux"]
    /// Of how it is made.
    private static let version = 1
    /// What a job can write.
    private static let spare = 4 << 30

    /// - Parameter packages: what the jobs need.
    package init(cache: MachineCache, packages: [String]) {
        self.cache = cache
        self.packages = Set(Self.base + packages).sorted()
    }

    /// The filesystem. Made the first time, in a minute or two.
    package func image() throws(VirtualMachineError) -> FilePath { try entry().appending("root.ext4") }

    func busybox() throws(VirtualMachineError) -> [UInt8] { try readFile(try entry().appending("busybox")) }

    private func entry() throws(VirtualMachineError) -> FilePath {
        let mirror = try DebianMirror.ofMachine()
        let name = "root-\(mirror.codename)-\(MachineCache.digest(packages.joined(separator: " ")))-\(Self.version)"
        return try cache.entry(name, .root(release: mirror.codename)) { folder throws(VirtualMachineError) in
            let system = folder.appending("system")
            if geteuid() == 0 {
                try bootstrap(mirror, mode: "root", system)
                try DiskImage.make(folder.appending("root.ext4"), from: system, spare: Self.spare)
            } else {
                try makeWithoutRoot(mirror, system, folder)
            }
            let busybox = HostFolder.files(below: system.appending("usr/bin"), prefix: "busybox").first
            guard let busybox else { throw .system(system.appending("usr/bin/busybox"), .noSuchFileOrDirectory) }
            try writeFile(folder.appending("busybox"), try readFile(busybox))
            try HostProgram.run(["rm", "-rf", system.string], package: "coreutils")
        }
    }

    /// In a user namespace for the packages' scripts; then the owners of files are fakeroot's business.
    private func makeWithoutRoot(
        _ mirror: DebianMirror, _ system: FilePath, _ folder: FilePath
    ) throws(VirtualMachineError) {
        let tar = folder.appending("system.tar")
        try bootstrap(mirror, mode: "unshare", tar)
        try createFolder(system)
        let owners = folder.appending("owners").string
        try HostProgram.run(
            ["fakeroot", "-s", owners, "tar", "-xpf", tar.string, "-C", system.string, "--exclude=./dev/*"],
            package: "fakeroot")
        try DiskImage.make(
            folder.appending("root.ext4"), from: system, spare: Self.spare, wrapper: ["fakeroot", "-i", owners])
        unlink(tar.string)
        unlink(owners)
    }

    private func bootstrap(_ mirror: DebianMirror, mode: String, _ target: FilePath) throws(VirtualMachineError) {
        // The latter two for what follows.
        try HostProgram.require(["mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "depmod": "kmod"])
        try HostProgram.run(
            HostProgram.contained([
                "mmdebstrap", "--quiet", "--variant=minbase", "--mode=\(mode)",
                "--include=\(packages.joined(separator: ","))",
                "--aptopt=Acquire::Languages \"none\"", "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                mirror.codename, target.string, mirror.source(mirror.codename),
            ]), package: "util-linux")
    }
}
