import Foundation
import SystemPackage

/// Kernels made ready for guests.
package struct KernelLibrary: Sendable {
    let cache: MachineCache
    private let root: GuestRoot

    package init(cache: MachineCache, root: GuestRoot) {
        (self.cache, self.root) = (cache, root)
    }

    /// Fetches or takes what is named, and makes it ready. What was fetched stays in the cache.
    package func kernel(_ specification: KernelSpecification) throws(VirtualMachineError) -> Kernel {
        switch specification {
        case .debian(let version): try debian(version)
        case .image(let path): try plain(path, name: path.string)
        case .tree(let path): try tree(path)
        case .build(let source, let fragments): try tree(try built(source, fragments).folder)
        case .folder(let path): try folder(path)
        }
    }

    /// Releases that are in the cache.
    package var cached: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: kernels.string)) ?? []
        return names.filter { $0.first?.isNumber == true }
            .map { DebianKernel(release: $0, packages: []) }
            .sorted { $0.numbers.lexicographicallyPrecedes($1.numbers) }.map(\.release)
    }

    /// Those that the mirror has, oldest first.
    package func available() throws(VirtualMachineError) -> [DebianKernel] {
        let archive = try archive()
        try archive.refresh()
        return DebianKernel.among(try archive.names("linux-"))
    }

    private var kernels: FilePath { cache.folder.appending("kernels") }

    func archive() throws(VirtualMachineError) -> PackageArchive {
        try createFolder(cache.folder)
        return PackageArchive(
            folder: cache.folder.appending("archive"), sources: try DebianMirror.ofMachine().kernelSources, status: nil)
    }

    private func debian(_ version: String) throws(VirtualMachineError) -> Kernel {
        // A release in full needs no lists if it is here; nor is a mirror asked for a shorter one that it once gave.
        let here = cached.last { DebianKernel(release: $0, packages: []).isOf(version) }
        if let here { return try ready(kernels.appending(here), name: here) }
        let known = try available()
        guard let kernel = known.last(where: { $0.isOf(version) }) else {
            throw .noSuchKernel(version, known: known.map(\.release))
        }
        let archive = try archive()
        let busybox = try root.busybox()
        let entry = try cache.entry("kernels/\(kernel.release)", .kernel(kernel.release)) {
            folder throws(VirtualMachineError) in
            let unpacked = folder.appending("unpacked")
            try archive.unpackAlone(kernel.packages, into: unpacked)
            try prepare(unpacked, into: folder, busybox)
            try? FileManager.default.removeItem(atPath: unpacked.string)
        }
        return try ready(entry, name: kernel.release)
    }

    private func ready(_ entry: FilePath, name: String) throws(VirtualMachineError) -> Kernel {
        Kernel(
            name: name, image: entry.appending("vmlinuz"), initramfs: entry.appending("initramfs"),
            modules: entry.appending("modules.ext4"))
    }

    /// From `vmlinuz` and lib/modules to what a guest starts from.
    private func prepare(_ source: FilePath, into folder: FilePath, _ busybox: [UInt8]) throws(VirtualMachineError) {
        let images = HostFolder.files(below: source, prefix: "vmlinuz")
        guard let image = images.first else { throw .notAKernel(source, why: "it has no vmlinuz") }
        guard let modules = KernelModules(below: source) else {
            throw .notAKernel(source, why: "it has no lib/modules")
        }
        try writeFile(folder.appending("vmlinuz"), try readFile(image))
        try modules.index()
        // A package has it in /boot, where a guest does not look.
        if let settings = HostFolder.files(below: source, prefix: "config-").first {
            try writeFile(modules.folder.appending("config"), try readFile(settings))
        }
        try writeFile(folder.appending("initramfs"), Initramfs.content(busybox: busybox, modules.earlyModules()))
        try DiskImage.make(
            folder.appending("modules.ext4"), from: modules.folder.removingLastComponent(), spare: 16 << 20)
    }

    /// A folder may change, so that its files' times are in its name in the cache.
    private func folder(_ path: FilePath) throws(VirtualMachineError) -> Kernel {
        guard let image = HostFolder.files(below: path, prefix: "vmlinuz").first else {
            throw .notAKernel(path, why: "it has no vmlinuz")
        }
        let busybox = try root.busybox()
        let entry = try cache.entry("kernels/folder-\(FileIdentity(image).text)", .kernel(path.string)) {
            target throws(VirtualMachineError) in
            // depmod writes beside the modules: into a copy.
            let copy = target.appending("copy")
            try HostProgram.run(["cp", "-a", path.string, copy.string], package: "coreutils")
            try prepare(copy, into: target, busybox)
            try? FileManager.default.removeItem(atPath: copy.string)
        }
        return try ready(entry, name: path.string)
    }

    private func tree(_ path: FilePath) throws(VirtualMachineError) -> Kernel {
        let image = path.appending("arch/x86/boot/bzImage")
        let settings = (try? String(contentsOfFile: path.appending(".config").string, encoding: .utf8)) ?? ""
        for name in ["VIRTIO_PCI", "VIRTIO_BLK", "EXT4_FS", "SERIAL_8250_CONSOLE", "BLK_DEV_INITRD", "DEVTMPFS"]
        where !settings.contains("\nCONFIG_\(name)=y\n") {
            throw .notAKernel(
                path,
                why: "its .config must have CONFIG_\(name)=y, or its modules must be installed "
                    + "(make modules_install INSTALL_MOD_PATH=FOLDER) beside a vmlinuz in a folder that is named instead"
            )
        }
        return try plain(image, name: path.string)
    }

    private func plain(_ image: FilePath, name: String) throws(VirtualMachineError) -> Kernel {
        guard
            (try? FileHandle(forReadingFrom: URL(fileURLWithPath: image.string)).read(upToCount: 0x206))?
                .suffix(4) == Data("HdrS".utf8)
        else { throw .notAKernel(image, why: "it is no bzImage") }
        let busybox = try root.busybox()
        let entry = try cache.entry("initramfs-without-modules-\(Initramfs.version)", nil) {
            folder throws(VirtualMachineError) in
            try writeFile(folder.appending("initramfs"), Initramfs.content(busybox: busybox, []))
        }
        return Kernel(name: name, image: image, initramfs: entry.appending("initramfs"), modules: nil)
    }
}
