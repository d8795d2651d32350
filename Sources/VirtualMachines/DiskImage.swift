import Foundation
import SystemPackage

/// Filesystems for guests, made without mounting them.
enum DiskImage {
    /// An empty ext4 of so many bytes. The file is sparse. It has a journal: without one, fsync(2) leaves inodes in memory in
    /// Linux up to 6.18.
    static func makeEmpty(_ image: FilePath, size: Int, label: String) throws(VirtualMachineError) {
        try HostProgram.run(
            [
                "mke2fs", "-q", "-F", "-t", "ext4", "-J", "size=8", "-E", "lazy_journal_init=1", "-m", "0", "-L", label,
                image.string, "\(size >> 10)k",
            ], package: "e2fsprogs")
    }

    /// An ext4 with the content of `source`, without a journal: nobody keeps what a guest writes.
    ///
    /// - Parameters:
    ///   - spare: bytes that it has free. The file is sparse.
    ///   - wrapper: a command that runs mke2fs, such as fakeroot(1).
    static func make(
        _ image: FilePath, from source: FilePath, spare: Int, wrapper: [String] = []
    ) throws(VirtualMachineError) {
        // Room for inodes and block maps too.
        let size = HostFolder.size(of: source) * 5 / 4 + spare
        // By its path: what runs it looks in PATH alone.
        let program = try HostProgram.require("mke2fs", package: "e2fsprogs")
        let command = [
            program.string, "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", source.string,
            image.string,
            "\(size >> 10)k",
        ]
        if wrapper.isEmpty {
            try HostProgram.run(command, package: "e2fsprogs")
        } else {
            try HostProgram.run(wrapper + command, package: wrapper[0])
        }
    }
}
