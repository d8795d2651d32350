import Foundation
import Glibc
import LinuxSystem
import SystemPackage

/// A guest's disk for what shall outlive it. The guest writes through to it, so that what was written before its kernel died is
/// there. It is read without mounting: nobody trusts a filesystem that such a kernel wrote.
struct ResultsDisk: ~Copyable {
    /// It has no name: nothing is left when nobody has it open.
    let descriptor: CInt
    private let cache: MachineCache

    /// The guest finds it by this. The guest's init has it too.
    private static let label = "results"
    private static let size = 2 << 30

    init(_ cache: MachineCache) throws(VirtualMachineError) {
        self.cache = cache
        descriptor = try cache.withScratch { scratch throws(VirtualMachineError) in
            let image = scratch.appending("results.ext4")
            try DiskImage.makeEmpty(image, size: Self.size, label: Self.label)
            let descriptor = open(image.string, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { throw .system(image, .last) }
            return descriptor
        }
    }

    /// Copies all of it into a folder, over what is there.
    func extract(into folder: FilePath) throws(VirtualMachineError) {
        try createFolder(folder)
        let image = "/proc/\(getpid())/fd/\(descriptor)"
        try cache.withScratch { scratch throws(VirtualMachineError) in
            let commands = scratch.appending("commands")
            try writeFile(commands, "journal_run\nrdump / \"\(folder)\"\n")
            try HostProgram.run(["debugfs", "-w", "-f", commands.string, image], package: "e2fsprogs")
        }
        // Every ext4 has it.
        rmdir(folder.appending("lost+found").string)
    }

    deinit { close(descriptor) }
}
