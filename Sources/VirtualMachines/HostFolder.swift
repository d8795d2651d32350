import CLinux
import Foundation
import LinuxSystem
import SystemPackage

/// Looks at folders of the host.
enum HostFolder {
    /// Bytes that the files in it take on the disk.
    static func size(of folder: FilePath) -> Int {
        guard let walk = FileManager.default.enumerator(atPath: folder.string) else { return 0 }
        var total = 0
        for case let name as String in walk {
            var status = stat()
            if lstat(folder.appending(name).string, &status) == 0 { total += Int(status.st_blocks) * 512 }
        }
        return total
    }

    /// Files below it whose names begin with `prefix`, by path.
    static func files(below folder: FilePath, prefix: String) -> [FilePath] {
        guard let walk = FileManager.default.enumerator(atPath: folder.string) else { return [] }
        return walk.compactMap { $0 as? String }.filter { FilePath($0).lastComponent?.string.hasPrefix(prefix) == true }
            .sorted().map { folder.appending($0) }
    }
}
