import Glibc
import LinuxSystem
import SystemPackage

/// The text of a small file (procfs, sysfs, a log), or nil if it cannot be read. Never for paths on a mount under test.
package func contents(of path: String) -> String? { try? readWhole(FilePath(path)) }

/// The names in a folder, without `.` and `..`; empty if it cannot be read.
package func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var result: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
            String(decoding: raw.prefix(while: { $0 != 0 }), as: UTF8.self)
        }
        if name != "." && name != ".." { result.append(name) }
    }
    return result
}

/// Where a symbolic link points, or nil.
package func linkTarget(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
}
