import CFUSE
import FUSEProtocol
import Glibc
import SystemPackage
import Testing

@testable import LoopbackFS

/// Other mounts below the source.
@Suite("Mounts in the source", .enabled(if: mountsWork, "needs root and mount(2)"))
struct MountTests {
    /// A fixture with a directory `m` that something can be mounted on.
    private func fixture() throws -> Fixture {
        let fixture = try Fixture()
        mkdir(fixture.source + "/m", 0o755)
        return fixture
    }

    private func unmount(_ path: String, within seconds: Int) -> Bool {
        for _ in 0..<seconds * 20 {
            if umount2(path, 0) == 0 { return true }
            usleep(50_000)
        }
        umount2(path, CInt(MNT_DETACH))
        return false
    }

    @Test func unusedMountCanBeUnmounted() throws {
        let fixture = try fixture()
        let path = fixture.source + "/m"
        try #require(mount("none", path, "tmpfs", 0, nil) == 0)
        fixture.write("m/f", "first")
        mkdir(path + "/d", 0o755)
        let point = try fixture.lookup("m").nodeid
        let file = try fixture.lookup("f", in: point).nodeid
        _ = try fixture.lookup("d", in: point)
        let handle = try fixture.open(file)
        usleep(1_500_000)
        #expect(umount2(path, 0) == -1 && errno == EBUSY, "a mount with an open file")
        try fixture.ask(
            .release, file, bytes(of: fuse_release_in(fh: handle, flags: 0, release_flags: 0, lock_owner: 0)))
        #expect(unmount(path, within: 5))
        // What the kernel remembers of it is gone, whatever is there now.
        let getattr = bytes(of: fuse_getattr_in())
        #expect(try fixture.ask(.getattr, file, getattr).errno == .staleNFSFileHandle)
        try #require(mount("none", path, "tmpfs", 0, nil) == 0)
        fixture.write("m/f", "second, longer")
        #expect(try fixture.ask(.getattr, file, getattr).errno == .staleNFSFileHandle)
        let again = try fixture.lookup("f", in: try fixture.lookup("m").nodeid)
        #expect(again.nodeid != file && again.attr.size == 14)
        // And it is opened anew after it was let go of.
        usleep(1_500_000)
        #expect(try fixture.ask(.getattr, again.nodeid, getattr).errno == nil)
        #expect(unmount(path, within: 5))
    }

    @Test func readOnlyMountStaysReadOnly() throws {
        let fixture = try fixture()
        let path = fixture.source + "/m"
        mkdir(fixture.source + "/d", 0o755)
        fixture.write("d/f", "text")
        try #require(mount(fixture.source + "/d", path, nil, UInt(MS_BIND), nil) == 0)
        defer { umount2(path, CInt(MNT_DETACH)) }
        try #require(mount("none", path, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) == 0)
        let directory = try fixture.lookup("d").nodeid
        let point = try fixture.lookup("m").nodeid
        let file = try fixture.lookup("f", in: point).nodeid
        #expect(throws: Errno.readOnlyFileSystem) { try fixture.open(file, O_RDWR) }
        #expect(throws: Never.self) { try fixture.open(file, O_RDONLY) }
        #expect(try fixture.ask(.unlink, point, names: ["f"]).errno == .readOnlyFileSystem)
        #expect(throws: Never.self) { try fixture.open(try fixture.lookup("f", in: directory).nodeid, O_RDWR) }
    }

    /// A mount of one file: its filesystem is first met by that.
    @Test func mountedFileIsServed() throws {
        let fixture = try fixture()
        let other = "/dev/shm/fstestkit-\(getpid())"
        close(open(other, O_CREAT | O_WRONLY, 0o644))
        defer { unlink(other) }
        fixture.write("f")
        try #require(mount(other, fixture.source + "/f", nil, UInt(MS_BIND), nil) == 0)
        let file = try fixture.lookup("f")
        let inode = try #require(fixture.fileSystem.inodes[file.nodeid])
        if fixture.fileSystem.fileSystems.source.hasHandles { #expect(inode.fileSystem.hasHandles) }
        usleep(1_500_000)
        #expect(try fixture.ask(.getattr, file.nodeid, bytes(of: fuse_getattr_in())).errno == nil)
        #expect(unmount(fixture.source + "/f", within: 5))
    }
}

private let mountsWork: Bool = {
    var template = Array("/tmp/loopback-mount.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return false }
    defer { rmdir(template) }
    guard mount("none", template, "tmpfs", 0, nil) == 0 else { return false }
    umount2(template, CInt(MNT_DETACH))
    return true
}()
