import CFUSE

/// How a request of one opcode is laid out on the wire, and whether it is answered.
///
/// On `/dev/fuse` a message is header, argument struct and payload, one behind the other; on the ring the argument
/// struct travels in `op_in` and the payload in a buffer of its own. The payload is names (each ends with NUL), data, or
/// names and then data.
@usableFromInline
package struct OpcodeLayout: Sendable {
    /// The kernel's name without its prefix.
    package let name: StaticString
    /// Bytes of the argument struct.
    package let argumentSize: Int
    /// NUL-terminated names at the start of the payload.
    package let names: Int
    /// False for FORGET and BATCH_FORGET only.
    package let replies: Bool
    /// Whether a reply that is no error may have a body.
    package let hasBody: Bool

    init<Argument>(
        _ name: StaticString, _ argument: Argument.Type, names: Int = 0, replies: Bool = true, hasBody: Bool = true
    ) {
        self.name = name
        self.argumentSize = MemoryLayout<Argument>.size
        self.names = names
        self.replies = replies
        self.hasBody = replies && hasBody
    }

    /// Of each opcode, by its number: asked for with every request.
    @usableFromInline
    static let argumentSizes = table.map { $0?.argumentSize ?? 0 }

    /// Of each opcode, by its number, whether replies have a body.
    static let bodies = table.map { $0?.hasBody ?? false }

    @usableFromInline
    static let table: [OpcodeLayout?] = {
        var table = [OpcodeLayout?](repeating: nil, count: Opcode.tableSize)
        func add(_ opcode: Opcode, _ layout: OpcodeLayout) { table[Int(opcode.rawValue)] = layout }

        add(.lookup, OpcodeLayout("LOOKUP", Void.self, names: 1))
        add(.forget, OpcodeLayout("FORGET", fuse_forget_in.self, replies: false))
        add(.getattr, OpcodeLayout("GETATTR", fuse_getattr_in.self))
        add(.setattr, OpcodeLayout("SETATTR", fuse_setattr_in.self))
        add(.readlink, OpcodeLayout("READLINK", Void.self))
        add(.symlink, OpcodeLayout("SYMLINK", Void.self, names: 2))
        add(.mknod, OpcodeLayout("MKNOD", fuse_mknod_in.self, names: 1))
        add(.mkdir, OpcodeLayout("MKDIR", fuse_mkdir_in.self, names: 1))
        add(.unlink, OpcodeLayout("UNLINK", Void.self, names: 1, hasBody: false))
        add(.rmdir, OpcodeLayout("RMDIR", Void.self, names: 1, hasBody: false))
        add(.rename, OpcodeLayout("RENAME", fuse_rename_in.self, names: 2, hasBody: false))
        add(.link, OpcodeLayout("LINK", fuse_link_in.self, names: 1))
        add(.open, OpcodeLayout("OPEN", fuse_open_in.self))
        add(.read, OpcodeLayout("READ", fuse_read_in.self))
        add(.write, OpcodeLayout("WRITE", fuse_write_in.self))
        add(.statfs, OpcodeLayout("STATFS", Void.self))
        add(.release, OpcodeLayout("RELEASE", fuse_release_in.self, hasBody: false))
        add(.fsync, OpcodeLayout("FSYNC", fuse_fsync_in.self, hasBody: false))
        add(.setxattr, OpcodeLayout("SETXATTR", fuse_setxattr_in.self, names: 1, hasBody: false))
        add(.getxattr, OpcodeLayout("GETXATTR", fuse_getxattr_in.self, names: 1))
        add(.listxattr, OpcodeLayout("LISTXATTR", fuse_getxattr_in.self))
        add(.removexattr, OpcodeLayout("REMOVEXATTR", Void.self, names: 1, hasBody: false))
        add(.flush, OpcodeLayout("FLUSH", fuse_flush_in.self, hasBody: false))
        add(.`init`, OpcodeLayout("INIT", fuse_init_in.self))
        add(.opendir, OpcodeLayout("OPENDIR", fuse_open_in.self))
        add(.readdir, OpcodeLayout("READDIR", fuse_read_in.self))
        add(.releasedir, OpcodeLayout("RELEASEDIR", fuse_release_in.self, hasBody: false))
        add(.fsyncdir, OpcodeLayout("FSYNCDIR", fuse_fsync_in.self, hasBody: false))
        add(.getlk, OpcodeLayout("GETLK", fuse_lk_in.self))
        add(.setlk, OpcodeLayout("SETLK", fuse_lk_in.self, hasBody: false))
        add(.setlkw, OpcodeLayout("SETLKW", fuse_lk_in.self, hasBody: false))
        add(.access, OpcodeLayout("ACCESS", fuse_access_in.self, hasBody: false))
        add(.create, OpcodeLayout("CREATE", fuse_create_in.self, names: 1))
        add(.interrupt, OpcodeLayout("INTERRUPT", fuse_interrupt_in.self, hasBody: false))
        add(.bmap, OpcodeLayout("BMAP", fuse_bmap_in.self))
        add(.destroy, OpcodeLayout("DESTROY", Void.self, hasBody: false))
        add(.ioctl, OpcodeLayout("IOCTL", fuse_ioctl_in.self))
        add(.poll, OpcodeLayout("POLL", fuse_poll_in.self))
        add(.notifyReply, OpcodeLayout("NOTIFY_REPLY", fuse_notify_retrieve_in.self, replies: false))
        add(.batchForget, OpcodeLayout("BATCH_FORGET", fuse_batch_forget_in.self, replies: false))
        add(.fallocate, OpcodeLayout("FALLOCATE", fuse_fallocate_in.self, hasBody: false))
        add(.readdirplus, OpcodeLayout("READDIRPLUS", fuse_read_in.self))
        add(.rename2, OpcodeLayout("RENAME2", fuse_rename2_in.self, names: 2, hasBody: false))
        add(.lseek, OpcodeLayout("LSEEK", fuse_lseek_in.self))
        add(.copyFileRange, OpcodeLayout("COPY_FILE_RANGE", fuse_copy_file_range_in.self))
        add(.syncfs, OpcodeLayout("SYNCFS", fuse_syncfs_in.self, hasBody: false))
        add(.tmpfile, OpcodeLayout("TMPFILE", fuse_create_in.self, names: 1))
        add(.statx, OpcodeLayout("STATX", cfuse_statx_in.self))
        add(.copyFileRange64, OpcodeLayout("COPY_FILE_RANGE_64", fuse_copy_file_range_in.self))
        return table
    }()
}
