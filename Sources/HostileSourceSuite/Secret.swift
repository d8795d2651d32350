import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A file that nobody but root may ever read or change: it came into the world with mode 0600, or inside a directory with mode
/// 0700 that it has never left.
///
/// Held by a descriptor, so that it can be looked at wherever it was moved, and after its last name went.
final class Secret {
    let descriptor: CInt
    private let content: [UInt8]
    private let born: stat
    private let hasAttribute: Bool

    /// Takes an empty file over and fills it.
    init(_ descriptor: CInt, _ content: [UInt8]) throws(Errno) {
        self.descriptor = descriptor
        self.content = content
        _ = try Errno.check { pwrite(descriptor, content, content.count, 0) }
        hasAttribute = fsetxattr(descriptor, "user.secret", content, 256, 0) == 0
        _ = fsetxattr(descriptor, "trusted.secret", content, 256, 0)
        var status = stat()
        _ = try Errno.check { fstat(descriptor, &status) }
        born = status
    }

    deinit { close(descriptor) }

    /// What somebody has changed; nil if nothing.
    func change() -> String? {
        var now = stat()
        guard fstat(descriptor, &now) == 0 else { return nil }
        if now.st_uid != born.st_uid || now.st_gid != born.st_gid { return "its owner is \(now.st_uid):\(now.st_gid)" }
        if now.st_mode != born.st_mode { return "its mode is 0\(String(now.st_mode & 0o7777, radix: 8))" }
        if now.st_size != born.st_size { return "its size is \(now.st_size), not \(born.st_size)" }
        if now.st_mtim.tv_sec != born.st_mtim.tv_sec || now.st_mtim.tv_nsec != born.st_mtim.tv_nsec {
            return "its time of modification was changed"
        }
        var bytes = [UInt8](repeating: 0, count: content.count)
        if pread(descriptor, &bytes, bytes.count, 0) != content.count || memcmp(bytes, content, content.count) != 0 {
            return "its content was changed"
        }
        if hasAttribute {
            let count = fgetxattr(descriptor, "user.secret", &bytes, bytes.count)
            if count != 256 || memcmp(bytes, content, 256) != 0 { return "its attribute user.secret was changed" }
        }
        return nil
    }
}
