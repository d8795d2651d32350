import CLinux
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import LoopbackFS

@Suite("Filesystems of the source")
struct BackingFileSystemTests {
    /// The formats of the filesystems at hand: /tmp's, and tmpfs, which /dev/shm is.
    @Test(
        .enabled(if: readsHandles, "needs CAP_DAC_READ_SEARCH and one of ext4, btrfs, XFS and tmpfs below /tmp"),
        arguments: ["/tmp", "/dev/shm"])
    func inodeNumbersInHandlesAreTheFiles(parent: String) throws {
        var template = Array("\(parent)/fstestkit-handles.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { removeTree(path) }
        let directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try #require(directory >= 0)
        defer { close(directory) }
        let fileSystem = backingFileSystem(directory)
        #expect(fileSystem.readsHandles)
        for name in ["a", "b", "c"] {
            close(openat(directory, name, O_CREAT | O_WRONLY, 0o644))
            let status = try Attributes.of(name, in: directory)
            #expect(fileSystem.inode(of: try FileHandle(of: name, in: directory, flags: 0)) == status.stx_ino)
        }
    }
}

private let readsHandles: Bool = {
    let directory = Glibc.open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return false }
    defer { close(directory) }
    return backingFileSystem(directory).readsHandles
}()

private func backingFileSystem(_ directory: CInt) -> BackingFileSystem {
    let mount = BackingMount(id: 0, descriptor: dup(directory), cache: DescriptorCache(capacity: 0))
    return BackingFileSystem(index: 0, mount: mount, member: directory, usesHandles: true)
}
