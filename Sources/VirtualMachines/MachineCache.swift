import CLinux
import Foundation
import LinuxSystem
package import SystemPackage

/// What is made once and kept: kernels, the guest's root, QEMU. All of it can be made again.
package struct MachineCache: Sendable {
    package let folder: FilePath
    /// Called before something is made, which takes a while.
    let announce: @Sendable (Preparation) -> Void

    /// What takes its time the first time.
    package enum Preparation: Equatable, Sendable {
        case emulator
        case root(release: String)
        case kernel(String)
        /// A kernel's source.
        case source(String)
        /// A kernel is made, for minutes if it is the first time.
        case build(String)
    }

    package init(_ folder: FilePath, announce: @escaping @Sendable (Preparation) -> Void = { _ in }) {
        (self.folder, self.announce) = (folder, announce)
    }

    /// `${XDG_CACHE_HOME:-~/.cache}/fstestkit/vm`.
    package static var folderOfUser: FilePath {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return FilePath(cache ?? NSHomeDirectory() + "/.cache").appending("fstestkit/vm")
    }

    /// The folder `name` of the cache. `make` fills it, if it is not there, under a name that it does not keep when it fails or is
    /// killed; who comes meanwhile waits.
    func entry(
        _ name: String, _ preparation: Preparation?, make: (FilePath) throws(VirtualMachineError) -> Void
    ) throws(VirtualMachineError) -> FilePath {
        let path = folder.appending(name)
        if exists(path) { return path }
        let lock = try FolderLock(folder, "lock", waits: true)
        defer { lock.release() }
        if exists(path) { return path }
        // Those of the killed: whoever holds the lock is the only one that makes something.
        let scratch = folder.appending("making")
        try? FileManager.default.removeItem(atPath: scratch.string)
        try createFolder(scratch)
        defer { try? FileManager.default.removeItem(atPath: scratch.string) }
        if let preparation { announce(preparation) }
        try make(scratch)
        try createFolder(path.removingLastComponent())
        guard rename(scratch.string, path.string) == 0 else { throw .system(path, .last) }
        return path
    }

    /// A folder that is gone after `use`, and at the latest when the next one is asked for after a kill.
    func withScratch<Result>(
        _ use: (FilePath) throws(VirtualMachineError) -> Result
    ) throws(VirtualMachineError) -> Result {
        let folders = folder.appending("scratch")
        try createFolder(folders)
        let gate = try FolderLock(folder, "scratch.lock", waits: true)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folders.string)) ?? [] {
            let left = folders.appending(name)
            guard let lock = try? FolderLock(left, "in-use", waits: false) else { continue }
            try? FileManager.default.removeItem(atPath: left.string)
            lock.release()
        }
        let mine = folders.appending(UUID().uuidString)
        try createFolder(mine)
        let lock = try FolderLock(mine, "in-use", waits: true)
        gate.release()
        defer {
            try? FileManager.default.removeItem(atPath: mine.string)
            lock.release()
        }
        return try use(mine)
    }

    /// For names of entries: short, and the same in every run.
    static func digest(_ text: String) -> String {
        var hash = FNV1a()
        hash.combine(text.utf8)
        return String(hash.value, radix: 36)
    }

    /// Removes all of it. Guests at work keep what they have open.
    ///
    /// - Returns: the bytes that were freed.
    package func clean() throws(VirtualMachineError) -> Int {
        guard exists(folder) else { return 0 }
        let lock = try FolderLock(folder, "lock", waits: false)
        defer { lock.release() }
        let size = HostFolder.size(of: folder)
        do {
            try FileManager.default.removeItem(atPath: folder.string)
        } catch {
            throw .system(folder, .last)
        }
        return size
    }

    private func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }
}

/// Makes a folder and those above it.
func createFolder(_ path: FilePath) throws(VirtualMachineError) {
    do {
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    } catch {
        throw .system(path, .last)
    }
}

func writeFile(_ path: FilePath, _ text: String) throws(VirtualMachineError) {
    try writeFile(path, Array(text.utf8))
}

func writeFile(_ path: FilePath, _ bytes: [UInt8]) throws(VirtualMachineError) {
    do throws(Errno) {
        let descriptor = try Errno.check {
            clinux_openat(AT_FDCWD, path.string, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try Errno.check { rest.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) } }
            rest = rest.dropFirst(count)
        }
    } catch {
        throw .system(path, error)
    }
}
