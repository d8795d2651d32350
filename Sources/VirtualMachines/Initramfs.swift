/// What the kernel starts with: it loads the disk's driver, mounts the guest's root, and goes on there.
enum Initramfs {
    /// Of what stands in it; a cache of the made ones knows them by it.
    static let version = 1

    static func content(busybox: [UInt8], _ modules: [(name: String, content: [UInt8])]) -> [UInt8] {
        var archive = CPIOArchive()
        for name in ["bin", "dev", "modules", "root"] { archive.add(folder: name) }
        archive.add(file: "bin/busybox", busybox, isProgram: true)
        for (number, module) in modules.enumerated() {
            // The shell takes them by name: in the order in which they are to be loaded.
            archive.add(file: "modules/\(100 + number)-\(module.name).ko", module.content)
        }
        archive.add(file: "init", PackageResources.initramfs_sh, isProgram: true)
        return archive.finished()
    }
}
