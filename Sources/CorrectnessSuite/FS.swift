import BenchCore
import CBench
import CLinux
import Glibc
import SystemPackage

/// System calls on paths, relative to the working directory. Each throws `CallError` with its own name.
enum FS {
    static func mkdir(_ path: Path, _ mode: mode_t = 0o755) throws(CallError) {
        try call("mkdir", path) { path.withCString { Glibc.mkdir($0, mode) } }
    }

    static func rmdir(_ path: Path) throws(CallError) {
        try call("rmdir", path) { path.withCString { Glibc.rmdir($0) } }
    }

    static func unlink(_ path: Path) throws(CallError) {
        try call("unlink", path) { path.withCString { Glibc.unlink($0) } }
    }

    /// rename(2), or with flags renameat2(2).
    static func rename(_ old: Path, _ new: Path, flags: CInt = 0) throws(CallError) {
        try call("rename", "\(old) to \(new)") {
            old.withCString { from in
                new.withCString { to in
                    flags == 0 ? Glibc.rename(from, to) : clinux_renameat2(AT_FDCWD, from, AT_FDCWD, to, UInt32(flags))
                }
            }
        }
    }

    static func link(_ old: Path, _ new: Path) throws(CallError) {
        try call("link", "\(old) to \(new)") { old.withCString { from in new.withCString { Glibc.link(from, $0) } } }
    }

    static func symlink(_ target: Path, _ path: Path) throws(CallError) {
        try call("symlink", path) { target.withCString { to in path.withCString { Glibc.symlink(to, $0) } } }
    }

    static func readlink(_ path: Path) throws(CallError) -> Path {
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = try call("readlink", path) {
            path.withCString { name in
                buffer.withUnsafeMutableBytes {
                    Glibc.readlink(name, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
                }
            }
        }
        return Path(bytes: Array(buffer.prefix(count)))
    }

    static func mknod(
        _ path: Path, _ kind: FileKind, _ mode: mode_t = 0o644, device: (UInt32, UInt32) = (0, 0)
    ) throws(CallError) {
        try call("mknod", path) {
            path.withCString { clinux_mknodat(AT_FDCWD, $0, mode_t(kind.rawValue) | mode, device.0, device.1) }
        }
    }

    /// statx(2); `follow` decides about a symbolic link at the end, `fresh` asks past the kernel's cache.
    static func stat(_ path: Path, follow: Bool = false, fresh: Bool = false) throws(CallError) -> Attributes {
        var raw = statx()
        let flags = (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (fresh ? CBENCH_AT_STATX_FORCE_SYNC : 0)
        try call("stat", path) {
            path.withCString {
                clinux_statx(AT_FDCWD, $0, flags, CBENCH_STATX_BASIC | CBENCH_STATX_BTIME, &raw)
            }
        }
        return Attributes(raw: raw)
    }

    /// Whether there is such a name; no error but ENOENT is taken for an answer.
    static func exists(_ path: Path) throws(CallError) -> Bool {
        do {
            _ = try stat(path)
            return true
        } catch  where error.errno == .noSuchFileOrDirectory {
            return false
        }
    }

    static func chmod(_ path: Path, _ mode: mode_t) throws(CallError) {
        try call("chmod", path) { path.withCString { Glibc.chmod($0, mode) } }
    }

    /// lchown(2); nil keeps the id.
    static func chown(_ path: Path, _ owner: UInt32? = nil, _ group: UInt32? = nil) throws(CallError) {
        try call("chown", path) { path.withCString { Glibc.lchown($0, owner ?? .max, group ?? .max) } }
    }

    static func truncate(_ path: Path, _ size: Int64) throws(CallError) {
        try call("truncate", path) { path.withCString { Glibc.truncate($0, Int(size)) } }
    }

    /// utimensat(2) without following; nil leaves a time as it is (UTIME_OMIT).
    static func setTimes(_ path: Path, accessed: FileTime?, modified: FileTime?) throws(CallError) {
        try setTimes(path, [timespec(accessed), timespec(modified)])
    }

    /// utimensat(2) without following, with times as the system call takes them.
    static func setTimes(_ path: Path, _ times: [timespec]) throws(CallError) {
        try call("utimensat", path) {
            path.withCString { cbench_set_times(AT_FDCWD, $0, times, AT_SYMLINK_NOFOLLOW) }
        }
    }

    static func access(_ path: Path, _ mask: CInt) throws(CallError) {
        try call("access", path) { path.withCString { Glibc.access($0, mask) } }
    }

    static func chdir(_ path: Path) throws(CallError) {
        try call("chdir", path) { path.withCString { Glibc.chdir($0) } }
    }

    static func statfs(_ path: Path) throws(CallError) -> statvfs {
        var result = statvfs()
        try call("statfs", path) { path.withCString { cbench_statvfs($0, &result) } }
        return result
    }

    static func setxattr(_ path: Path, _ name: Path, _ value: [UInt8], flags: CInt = 0) throws(CallError) {
        try call("setxattr \(name)", path) {
            path.withCString { file in
                name.withCString { key in
                    value.withUnsafeBytes { lsetxattr(file, key, $0.baseAddress, $0.count, flags) }
                }
            }
        }
    }

    /// The value of an attribute; `room` is the buffer's size.
    static func getxattr(_ path: Path, _ name: Path, room: Int = 65536) throws(CallError) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: room)
        let count = try call("getxattr \(name)", path) {
            path.withCString { file in
                name.withCString { key in
                    value.withUnsafeMutableBytes { lgetxattr(file, key, $0.baseAddress, $0.count) }
                }
            }
        }
        return room == 0 ? [UInt8](repeating: 0, count: count) : Array(value.prefix(count))
    }

    /// The names of the attributes; `room` is the buffer's size, and 0 asks for the length only.
    static func listxattr(_ path: Path, room: Int = 65536) throws(CallError) -> [Path] {
        var value = [UInt8](repeating: 0, count: room)
        let count = try call("listxattr", path) {
            path.withCString { file in
                value.withUnsafeMutableBytes {
                    llistxattr(file, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
                }
            }
        }
        return value.prefix(count).split(separator: 0).map { Path(bytes: Array($0)) }
    }

    static func removexattr(_ path: Path, _ name: Path) throws(CallError) {
        try call("removexattr \(name)", path) {
            path.withCString { file in name.withCString { lremovexattr(file, $0) } }
        }
    }

    /// A new file with `content`.
    static func create(_ path: Path, _ content: [UInt8] = [], mode: mode_t = 0o644) throws(CallError) {
        let file = try File(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
        if !content.isEmpty { try file.write(content, at: 0) }
    }

    static func create(_ path: Path, _ content: String, mode: mode_t = 0o644) throws(CallError) {
        try create(path, Array(content.utf8), mode: mode)
    }

    /// All that a file holds.
    static func contents(_ path: Path) throws(CallError) -> [UInt8] {
        let file = try File(path, O_RDONLY)
        return try file.readAll()
    }

    /// The names in a directory, without `.` and `..`.
    static func names(_ path: Path) throws(CallError) -> [Path] {
        try File(path, O_RDONLY | O_DIRECTORY).entries().map(\.name).filter { $0 != "." && $0 != ".." }
    }

    /// Removes a tree, as far as it can be removed.
    static func removeTree(_ path: Path) {
        path.withCString { cbench_remove_tree(AT_FDCWD, $0) }
    }
}

extension timespec {
    /// A time to set; nil leaves it as it is.
    init(_ time: FileTime?) {
        self.init()
        tv_sec = Int(time?.seconds ?? 0)
        tv_nsec = time.map { Int($0.nanoseconds) } ?? CBENCH_UTIME_OMIT
    }
}
