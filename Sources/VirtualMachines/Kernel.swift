import CLinux
import Foundation
package import SystemPackage

/// A kernel that a guest can be started with.
package struct Kernel: Sendable {
    /// For people: `6.18.15+deb13-cloud-amd64`, or the image's path.
    package let name: String
    package let image: FilePath
    /// What loads the disk's driver and goes on with the guest's root.
    let initramfs: FilePath
    /// A filesystem with the content of lib/modules; nil if all that the kernel has is built in.
    let modules: FilePath?
}

/// A file as it is now: another inode, size or time is another file.
struct FileIdentity {
    let text: String

    init(_ path: FilePath) {
        var status = stat()
        _ = stat(path.string, &status)
        text = [Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
            .map { String($0, radix: 36) }.joined(separator: "-")
    }
}
