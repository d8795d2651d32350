import Glibc
import LinuxSystem
import SystemPackage

/// How long the kernel lets a request wait for its answer before it aborts the connection (Linux 6.15).
package enum RequestTimeout {
    /// The kernel looks no more often than this, and so waits as long at least, in seconds.
    private static let shortest = 15

    /// What holds for a connection, in seconds; nil for never. The administrator's limits (`fs.fuse.default_request_timeout`
    /// and `fs.fuse.max_request_timeout`) hold for one that asks for nothing, too.
    ///
    /// - Parameter asked: what INIT's answer says; 0 for nothing.
    package static func kernels(asked: UInt16, settings: String = "/proc/sys/fs/fuse") -> Int? {
        let most = number(settings + "/max_request_timeout")
        let wanted = asked > 0 ? Int(asked) : number(settings + "/default_request_timeout")
        let timeout = most > 0 && (wanted == 0 || wanted > most) ? most : wanted
        return timeout > 0 ? max(timeout, shortest) : nil
    }

    /// A setting's value; 0 where there is none, as on older kernels.
    private static func number(_ path: String) -> Int {
        guard let descriptor = try? Errno.check({ unsafe open(path, O_RDONLY | O_CLOEXEC) }) else { return 0 }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = (try? Errno.check { unsafe read(descriptor, &buffer, buffer.count) }) ?? 0
        return Int(String(decoding: buffer[..<count].prefix { $0 != 10 }, as: UTF8.self)) ?? 0
    }
}
