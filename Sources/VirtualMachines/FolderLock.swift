import CLinux
import Foundation
import LinuxSystem
import SystemPackage

/// flock(2) of a file: gone with the process, however it ends.
struct FolderLock {
    private let descriptor: CInt

    init(_ folder: FilePath, _ name: String, waits: Bool) throws(VirtualMachineError) {
        try createFolder(folder)
        let path = folder.appending(name)
        do throws(Errno) {
            descriptor = try Errno.check { clinux_openat(AT_FDCWD, path.string, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        } catch {
            throw .system(path, error)
        }
        while clinux_flock(descriptor, LOCK_EX | (waits ? 0 : LOCK_NB)) != 0 {
            let error = Errno.last
            if error == .interrupted { continue }
            close(descriptor)
            throw error == .wouldBlock ? .cacheInUse(folder) : .system(path, error)
        }
    }

    func release() { close(descriptor) }
}
