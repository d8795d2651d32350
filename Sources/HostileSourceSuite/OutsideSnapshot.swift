import CLinux
import Glibc
import LinuxSystem

/// What lies beside the source, as a daemon that serves the source alone must leave it: names, owners, modes, times of modification
/// and contents.
struct OutsideSnapshot {
    private let entries: [String: String]

    init(_ root: String) {
        var entries: [String: String] = [:]
        OutsideSnapshot.walk(root, ".", &entries)
        self.entries = entries
    }

    /// One line for each difference.
    func differences(from before: OutsideSnapshot) -> [String] {
        Set(entries.keys).union(before.entries.keys).sorted().compactMap { path in
            let (was, now) = (before.entries[path], entries[path])
            if was == now { return nil }
            return "\(path): was \(was ?? "not there"), is \(now ?? "gone")"
        }
    }

    private static func walk(_ root: String, _ path: String, _ entries: inout [String: String]) {
        let whole = root + "/" + path
        var status = stat()
        guard lstat(whole, &status) == 0 else { return }
        var text = "0\(String(status.st_mode, radix: 8)) \(status.st_uid):\(status.st_gid)"
        text += " modified \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        switch status.st_mode & S_IFMT {
        case S_IFREG: text += " \(status.st_size) bytes, hash \(hash(whole))"
        case S_IFDIR:
            guard let stream = opendir(whole) else { break }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                    String(decoding: raw.prefix(while: { $0 != 0 }), as: UTF8.self)
                }
                if name != "." && name != ".." { walk(root, path + "/" + name, &entries) }
            }
        default: break
        }
        entries[path] = text
    }

    /// Of a small file.
    private static func hash(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 { return "?" }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 65536)
        var hash = FNV1a()
        while true {
            let count = read(file, &buffer, buffer.count)
            if count <= 0 { return String(hash.value, radix: 16) }
            hash.combine(buffer[..<count])
        }
    }
}
