package import CFUSE
package import FUSEProtocol
package import SystemPackage

/// What a filesystem does not have: ENOSYS, as the kernel expects of a daemon.
extension FileSystem {
    package func lookup(_ request: borrowing Request, name: Name, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func getattr(
        _ request: borrowing Request, _ arguments: fuse_getattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func statx(
        _ request: borrowing Request, _ arguments: cfuse_statx_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func setattr(
        _ request: borrowing Request, _ arguments: fuse_setattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func readlink(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func symlink(
        _ request: borrowing Request, name: Name, target: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func mknod(
        _ request: borrowing Request, _ arguments: fuse_mknod_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func mkdir(
        _ request: borrowing Request, _ arguments: fuse_mkdir_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func unlink(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome { throw .noFunction }
    package func rmdir(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome { throw .noFunction }
    package func rename(
        _ request: borrowing Request, name: Name, newParent: UInt64, newName: Name, flags: UInt32
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func link(
        _ request: borrowing Request, oldNode: UInt64, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }

    package func open(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func create(
        _ request: borrowing Request, _ arguments: fuse_create_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func tmpfile(
        _ request: borrowing Request, _ arguments: fuse_create_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func read(
        _ request: borrowing Request, _ arguments: fuse_read_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func write(
        _ request: borrowing Request, _ arguments: fuse_write_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func flush(_ request: borrowing Request, _ arguments: fuse_flush_in) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func release(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func fsync(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func fallocate(_ request: borrowing Request, _ arguments: fuse_fallocate_in) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func lseek(
        _ request: borrowing Request, _ arguments: fuse_lseek_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func copyFileRange(
        _ request: borrowing Request, _ arguments: fuse_copy_file_range_in, extended: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }

    package func opendir(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func readdir(
        _ request: borrowing Request, _ arguments: fuse_read_in, plus: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func releasedir(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func fsyncdir(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        throw .noFunction
    }

    package func statfs(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func syncfs(_ request: borrowing Request) throws(Errno) -> Outcome { throw .noFunction }
    package func access(_ request: borrowing Request, mask: UInt32) throws(Errno) -> Outcome { throw .noFunction }
    package func setxattr(
        _ request: borrowing Request, _ arguments: fuse_setxattr_in, name: Name, value: RawSpan
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func getxattr(
        _ request: borrowing Request, name: Name, size: Int, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func listxattr(
        _ request: borrowing Request, size: Int, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func removexattr(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome { throw .noFunction }
    package func getlk(
        _ request: borrowing Request, _ arguments: fuse_lk_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func setlk(_ request: borrowing Request, _ arguments: fuse_lk_in, wait: Bool) throws(Errno) -> Outcome {
        throw .noFunction
    }
    package func ioctl(
        _ request: borrowing Request, _ arguments: fuse_ioctl_in, input: RawSpan, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
    package func poll(
        _ request: borrowing Request, _ arguments: fuse_poll_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome { throw .noFunction }
}
