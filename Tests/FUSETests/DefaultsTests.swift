import CFUSE
import FUSE
import FUSEProtocol
import Testing

/// A filesystem that has nothing but a root.
private final class NoFS: FileSystem {
    func getattr(_ node: NodeID, handle: HandleID?, _ request: borrowing Request) throws(Errno) -> Reply<Attributes> {
        .now(Attributes(.directory, permissions: 0o755))
    }
}

/// What is left out: the kernel does without, or the caller is told what the manual pages say.
struct DefaultsTests {
    private let asked = Asked(NoFS())

    @Test func whatTheKernelDoesWithout() {
        let all: [(Opcode, [UInt8])] = [
            (.open, bytes(of: fuse_open_in())), (.opendir, bytes(of: fuse_open_in())),
            (.create, bytes(of: fuse_create_in()) + name("a")), (.tmpfile, bytes(of: fuse_create_in())),
            (.flush, bytes(of: fuse_flush_in())), (.fsync, bytes(of: fuse_fsync_in())),
            (.fsyncdir, bytes(of: fuse_fsync_in())), (.fallocate, bytes(of: fuse_fallocate_in())),
            (.access, bytes(of: fuse_access_in())), (.getxattr, bytes(of: fuse_getxattr_in()) + name("user.a")),
            (.listxattr, bytes(of: fuse_getxattr_in())), (.removexattr, name("user.a")),
            (.setxattr, bytes(of: fuse_setxattr_in()) + name("user.a")), (.poll, bytes(of: fuse_poll_in())),
            (.statx, bytes(of: cfuse_statx_in())), (.ioctl, bytes(of: fuse_ioctl_in())),
            (.copyFileRange, bytes(of: fuse_copy_file_range_in())), (.syncfs, bytes(of: fuse_syncfs_in())),
        ]
        for (opcode, body) in all { #expect(asked.ask(opcode, body).errno == .noFunction, "\(opcode)") }
    }

    @Test func whatCannotBeDone() {
        let all: [(Opcode, [UInt8])] = [
            (.mknod, bytes(of: fuse_mknod_in()) + name("a")), (.mkdir, bytes(of: fuse_mkdir_in()) + name("a")),
            (.symlink, name("a") + name("b")), (.unlink, name("a")), (.rmdir, name("a")),
            (.rename, bytes(of: fuse_rename_in()) + name("a") + name("b")),
            (.link, bytes(of: fuse_link_in()) + name("a")), (.setattr, bytes(of: fuse_setattr_in())),
            (.write, bytes(of: fuse_write_in())), (.read, bytes(of: fuse_read_in())),
        ]
        for (opcode, body) in all { #expect(asked.ask(opcode, body).errno == .notPermitted, "\(opcode)") }
        #expect(asked.ask(.lookup, name("a")).errno == .noSuchFileOrDirectory)
        #expect(asked.ask(.readlink).errno == .invalidArgument)
    }

    @Test func whatIsTrueOfNothing() {
        #expect(asked.ask(.readdir, bytes(of: fuse_read_in())).bytes == [])
        #expect(asked.ask(.release, bytes(of: fuse_release_in())).bytes == [])
        #expect(asked.ask(.releasedir, bytes(of: fuse_release_in())).bytes == [])
        let usage = asked.ask(.statfs).decode(fuse_statfs_out.self)
        #expect(usage?.st.namelen == 255)
        #expect(usage?.st.bsize == 4096)
    }
}
