/// What a request asks for, by the kernel's names: `enum fuse_opcode` of `<linux/fuse.h>`.
enum Opcode: UInt32 {
    case lookup = 1
    case forget, getattr, setattr, readlink, symlink
    case mknod = 8
    case mkdir, unlink, rmdir, rename, link, open, read, write, statfs, release
    case fsync = 20
    case setxattr, getxattr, listxattr, removexattr, flush, initialize, opendir, readdir, releasedir, fsyncdir, getlk,
        setlk,
        setlkw, access, create, interrupt, bmap, destroy, ioctl, poll, notifyReply, batchForget, fallocate, readdirplus,
        rename2, lseek, copyFileRange
    case syncfs = 50
    case tmpfile, statx, copyFileRange64

    /// For reports.
    static func name(_ number: UInt32) -> String {
        guard let opcode = Opcode(rawValue: number) else { return number == 0 ? "-" : "OPCODE_\(number)" }
        return opcode == .initialize ? "INIT" : "\(opcode)".uppercased()
    }

    /// Whether nobody waits for a reply.
    var takesNoReply: Bool { self == .forget || self == .batchForget || self == .interrupt }
}
