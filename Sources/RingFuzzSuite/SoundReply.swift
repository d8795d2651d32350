import Glibc

/// A request, wherever it came from.
struct WireRequest {
    var opcode: UInt32 = 0
    var unique: UInt64 = 0
    var node: UInt64 = 0
    /// The opcode's own struct, then names and data. On a ring the latter lie elsewhere and are not looked at.
    var arguments: [UInt8] = []

    /// - Parameter header: `fuse_in_header`.
    init(header: [UInt8], arguments: [UInt8]) {
        opcode = header.number(at: 4)
        unique = header.number(at: 8)
        node = header.number(at: 16)
        self.arguments = arguments
    }

    init() {}
}

/// What a good daemon answers. Its filesystem is a directory with a file `f`, a directory `d` and a link `l`, where
/// anything may be done and nothing stays.
struct SoundReply {
    /// 0, or a negative errno.
    var error: Int32 = 0
    var body: [UInt8] = []

    /// Where a `fuse_attr` is in the body, and a node's number; nil if it has none.
    var attributes: Int?
    var node: Int?

    private static let file: UInt64 = 2
    private static let fileSize: UInt64 = 1 << 16

    init(error: Int32) { self.error = -error }

    /// - Parameter name: of LOOKUP.
    init(to request: WireRequest, name: String?) {
        let arguments = request.arguments
        var bytes = WireBytes()
        switch Opcode(rawValue: request.opcode) {
        case .lookup:
            guard let node = ["f": 2, "d": 3, "l": 4][name ?? "f"] else {
                error = -ENOENT
                return
            }
            (self.node, attributes) = (0, 40)
            Self.putEntry(&bytes, UInt64(node))
        case .create:
            (self.node, attributes) = (0, 40)
            Self.putEntry(&bytes, 5)
            bytes.put(7, 0)
        case .mknod, .mkdir, .symlink, .link:
            (self.node, attributes) = (0, 40)
            Self.putEntry(&bytes, request.opcode == Opcode.mkdir.rawValue ? 3 : 5)
        case .getattr, .setattr:
            attributes = 16
            bytes.put(0, 0)
            Self.putAttributes(&bytes, request.node)
        case .open, .opendir: bytes.put(7, 0)
        case .read:
            let (offset, size): (UInt64, UInt32) = (arguments.number(at: 8), arguments.number(at: 16))
            let left = offset < Self.fileSize ? Self.fileSize - offset : 0
            bytes.put(repeatElement(UInt8(ascii: "r"), count: Int(min(left, UInt64(size)))))
        case .write, .copyFileRange:
            let size: UInt32 =
                request.opcode == Opcode.write.rawValue ? arguments.number(at: 16) : arguments.number(at: 40)
            bytes.put32(size, 0)
        case .copyFileRange64: bytes.put(arguments.number(at: 40))
        case .readlink: bytes.put("f".utf8)
        case .readdir: Self.putEntries(&bytes, arguments, isPlus: false)
        case .readdirplus:
            (node, attributes) = (0, 40)
            Self.putEntries(&bytes, arguments, isPlus: true)
        case .statfs:
            bytes.put(1000, 500, 500, 1000, 500)
            bytes.put32(4096, 255, 4096)
            bytes.fill(to: 80)
        case .getxattr, .listxattr:
            let value = Array("user.fuzz\0".utf8)
            let size: UInt32 = arguments.number(at: 0)
            if size == 0 { bytes.put32(UInt32(value.count), 0) } else { bytes.put(value.prefix(Int(size))) }
        case .getlk:
            bytes.put(0, 0)
            bytes.put32(UInt32(F_UNLCK), 0)
        case .lseek: bytes.put(arguments.number(at: 8))
        case .poll: bytes.put32(UInt32(POLLIN | POLLOUT), 0)
        case .ioctl: bytes.fill(to: 16)
        case .release, .releasedir, .flush, .fsync, .fsyncdir, .setxattr, .removexattr, .setlk, .setlkw, .access,
            .unlink,
            .rmdir, .rename, .rename2, .fallocate, .syncfs, .destroy:
            break
        default: error = -ENOSYS
        }
        body = bytes.bytes
    }

    private static func mode(_ node: UInt64) -> UInt32 {
        switch node {
        case 1, 3: UInt32(S_IFDIR) | 0o755
        case 4: UInt32(S_IFLNK) | 0o777
        default: UInt32(S_IFREG) | 0o644
        }
    }

    /// `fuse_attr`
    private static func putAttributes(_ bytes: inout WireBytes, _ node: UInt64) {
        bytes.put(node, mode(node) & UInt32(S_IFMT) == UInt32(S_IFREG) ? fileSize : 0, 8, 1, 1, 1)
        bytes.put32(0, 0, 0, mode(node), 1, 0, 0, 0, 4096, 0)
    }

    /// `fuse_entry_out`, of which the kernel keeps nothing.
    private static func putEntry(_ bytes: inout WireBytes, _ node: UInt64) {
        bytes.put(node, 1, 0, 0, 0)
        putAttributes(&bytes, node)
    }

    private static func putEntries(_ bytes: inout WireBytes, _ arguments: [UInt8], isPlus: Bool) {
        let (offset, size): (UInt64, UInt32) = (arguments.number(at: 8), arguments.number(at: 16))
        let names: [(String, UInt64)] = [("f", file), ("d", 3), ("l", 4)]
        for (index, (name, node)) in names.enumerated().dropFirst(Int(min(offset, 8))) {
            var entry = WireBytes()
            if isPlus { putEntry(&entry, node) }
            entry.put(node, UInt64(index + 1))
            entry.put32(UInt32(name.utf8.count), mode(node) >> 12)
            entry.put(name.utf8)
            entry.align()
            if bytes.bytes.count + entry.bytes.count > Int(size) { return }
            bytes.put(entry.bytes)
        }
    }

    /// The same with a contradiction in it.
    mutating func twist(_ body: CommitMove.Body, noise: () -> [UInt8]) {
        switch body {
        case .plain: break
        case .type:
            guard let attributes else { return }
            // `mode` of fuse_attr: what was a directory is a file, and what was none is a directory.
            let mode: UInt32 = self.body.number(at: attributes + 60)
            let isDirectory = mode & UInt32(S_IFMT) == UInt32(S_IFDIR)
            self.body.replace(at: attributes + 60, with: UInt32(isDirectory ? S_IFREG : S_IFDIR) | 0o777)
        case .node:
            if let node { self.body.replace(at: node, with: UInt64(0)) }
        case .overrun:
            // The length of the first name of a listing, or more than the reply has.
            if self.body.count >= 24, attributes == nil { self.body.replace(at: 16, with: UInt32(60_000)) }
            self.body += [UInt8](repeating: 0x41, count: 4096)
        case .noise:
            error = 0
            self.body = noise()
        }
    }
}
