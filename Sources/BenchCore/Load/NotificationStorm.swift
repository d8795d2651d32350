import CFUSE
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Tells the kernel, in a daemon's stead and through a copy of its `/dev/fuse`, that names, attributes and pages of its mount are
/// no longer what they were (FUSE_NOTIFY_INVAL_ENTRY and FUSE_NOTIFY_INVAL_INODE, linux/fuse.h). All of it is true at any time: the kernel
/// writes back what it has, forgets it, and asks the daemon anew.
struct NotificationStorm {
    let device: CInt
    let root: String
    /// Folders of load clients in the root.
    let folders: [String]
    private let rootNode: UInt64 = 1
    /// The kernel's numbers of what was seen there; a file that is gone may still be open.
    private var nodes: [String: UInt64] = [:]

    init(device: CInt, root: String, clients: [UInt64]) {
        self.device = device
        self.root = root
        folders = clients.map { LoadClient.folderName(id: $0) }
    }

    /// Once everything.
    ///
    /// - Throws: what the kernel says to a notification, but that it knows nothing of that name or file (ENOENT).
    mutating func pass() throws(Errno) {
        for folder in folders {
            if let parent = node(folder) {
                for file in 0..<UInt64(LoadFiles.count) {
                    let name = LoadFiles.name(file)
                    if let node = node("\(folder)/\(name)") { try invalidate(node, from: 0) }
                    try invalidate(name, in: parent)
                }
            }
            try invalidate(folder, in: rootNode)
        }
        try invalidate(rootNode, from: -1)
    }

    /// fuse's file handles begin with the node's number (`fuse_encode_fh`).
    private mutating func node(_ name: String) -> UInt64? {
        var handle = clinux_file_handle()
        var mount: CInt = 0
        let anyFileSystem = CInt(0x200)  // AT_HANDLE_FID: it need not be possible to open the file by it.
        if clinux_name_to_handle_at(AT_FDCWD, "\(root)/\(name)", &handle, &mount, anyFileSystem) == 0 {
            nodes[name] = withUnsafeBytes(of: &handle.f_handle) {
                UInt64($0.load(as: UInt32.self)) << 32 | UInt64($0.load(fromByteOffset: 4, as: UInt32.self))
            }
        }
        return nodes[name]
    }

    /// From a negative offset on: its attributes alone.
    private func invalidate(_ node: UInt64, from offset: Int64) throws(Errno) {
        try send(FUSE_NOTIFY_INVAL_INODE, fuse_notify_inval_inode_out(ino: node, off: offset, len: 0))
    }

    private func invalidate(_ name: String, in parent: UInt64) throws(Errno) {
        let name = Array(name.utf8)
        try send(
            FUSE_NOTIFY_INVAL_ENTRY,
            fuse_notify_inval_entry_out(parent: parent, namelen: UInt32(name.count), flags: 0), name + [0])
    }

    private func send<Body: BitwiseCopyable>(
        _ code: fuse_notify_code, _ body: Body, _ data: [UInt8] = []
    ) throws(Errno) {
        let length = MemoryLayout<fuse_out_header>.size + MemoryLayout<Body>.size + data.count
        var message: [UInt8] = []
        let header = fuse_out_header(len: UInt32(length), error: CInt(code.rawValue), unique: 0)
        withUnsafeBytes(of: header) { message += $0 }
        withUnsafeBytes(of: body) { message += $0 }
        message += data
        if write(device, message, message.count) < 0, errno != ENOENT { throw Errno(rawValue: errno) }
    }
}
