import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What a filesystem may lack without being wrong. Each is found out by trying it.
enum Feature: String, Sendable, CaseIterable {
    case userAttributes = "user extended attributes"
    case trustedAttributes = "trusted extended attributes"
    case accessLists = "POSIX ACLs"
    case allocation = "fallocate"
    case punchHole = "fallocate punch hole"
    case zeroRange = "fallocate zero range"
    case collapseRange = "fallocate collapse range"
    case insertRange = "fallocate insert range"
    case unshareRange = "fallocate unshare range"
    case temporaryFile = "O_TMPFILE"
    case exchange = "rename exchange"
    case noReplace = "rename without replacing"
    case whiteout = "rename whiteout"
    case seekHoles = "SEEK_HOLE and SEEK_DATA"
    case directIO = "O_DIRECT"
    case creationTime = "creation time"
    case inodeFlags = "inode flags"
    case fileHandles = "file handles"
    case deviceNodes = "device nodes"
    case directoryLinks = "link counts of directories"
    case cloning = "cloning of files"
    case sharedMapping = "shared mappings"
    case copyRange = "copy_file_range"
    case recordLocks = "record locks"
    case flockLocks = "flock"

    /// FUSE has no operation for it, or the kernel refuses to send it, whatever a daemon does.
    var isBeyondFUSE: Bool {
        [.cloning, .collapseRange, .insertRange, .unshareRange].contains(self)
    }

    /// Why `directory` has it not; nil if it has.
    func missing(_ directory: Path) -> String? {
        let file = directory / ".probe"
        defer {
            _ = try? FS.unlink(file)
            _ = try? FS.unlink(directory / ".probe2")
            _ = try? FS.rmdir(directory / ".probe3")
        }
        do {
            let open = try File(file, O_RDWR | O_CREAT | O_TRUNC)
            try open.write([UInt8](repeating: 1, count: 65536), at: 0)
            return try missing(directory, file, open)
        } catch let error as CallError {
            return "\(error.call): \(error.errno.name)"
        } catch {
            return "\(error)"
        }
    }

    private func missing(_ directory: Path, _ file: Path, _ open: File) throws -> String? {
        switch self {
        case .userAttributes: try FS.setxattr(file, "user.probe", [1])
        case .trustedAttributes: try FS.setxattr(file, "trusted.probe", [1])
        case .accessLists:
            try FS.setxattr(
                file, AccessList.accessName, AccessList(owner: 6, group: 4, other: 4, users: [60001: 6]).encoded)
        case .allocation: try open.allocate(0, 0, 65536)
        case .punchHole: try open.allocate(CBENCH_FALLOC_PUNCH_HOLE | CBENCH_FALLOC_KEEP_SIZE, 0, 4096)
        case .zeroRange: try open.allocate(CBENCH_FALLOC_ZERO_RANGE, 0, 4096)
        case .collapseRange: try open.allocate(CBENCH_FALLOC_COLLAPSE_RANGE, 0, 4096)
        case .insertRange: try open.allocate(CBENCH_FALLOC_INSERT_RANGE, 4096, 4096)
        case .unshareRange: try open.allocate(CBENCH_FALLOC_UNSHARE_RANGE, 0, 4096)
        case .temporaryFile: _ = try File(directory, CLINUX_O_TMPFILE | O_RDWR)
        case .noReplace: try FS.rename(file, directory / ".probe2", flags: CLINUX_RENAME_NOREPLACE)
        case .exchange:
            try FS.create(directory / ".probe2")
            try FS.rename(file, directory / ".probe2", flags: CLINUX_RENAME_EXCHANGE)
        case .whiteout: try FS.rename(file, directory / ".probe2", flags: CLINUX_RENAME_WHITEOUT)
        case .seekHoles:
            try open.truncate(1 << 20)
            return try open.seek(0, CBENCH_SEEK_HOLE) == 1 << 20 ? "no hole is reported" : nil
        case .directIO:
            // Some open a file for it, and refuse what is then read or written.
            let direct = try File(file, O_RDWR | CLINUX_O_DIRECT)
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)
            defer { memory.deallocate() }
            try call("write with O_DIRECT") { pwrite(direct.descriptor, memory.baseAddress, 4096, 0) }
            try call("read with O_DIRECT") { pread(direct.descriptor, memory.baseAddress, 4096, 0) }
        case .creationTime: return try FS.stat(file).created == nil ? "statx has no STATX_BTIME" : nil
        case .inodeFlags:
            var flags: UInt32 = 0
            try open.ioctl("FS_IOC_GETFLAGS", CBENCH_FS_IOC_GETFLAGS, &flags)
            try open.ioctl("FS_IOC_SETFLAGS", CBENCH_FS_IOC_SETFLAGS, &flags)
        case .fileHandles: _ = try FileHandle(file)
        case .deviceNodes: try FS.mknod(directory / ".probe2", .characterDevice, device: (1, 3))
        case .directoryLinks:
            try FS.mkdir(directory / ".probe3")
            return try FS.stat(directory / ".probe3").links == 2 ? nil : "a new directory has not 2 links"
        case .cloning:
            let target = try File(directory / ".probe2", O_RDWR | O_CREAT)
            try call("FICLONE") { clinux_fcntl_clone(target.descriptor, open.descriptor) }
        case .sharedMapping: _ = try open.map(4096, writable: true, shared: true)
        case .recordLocks: try open.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 0, 1)
        case .flockLocks: try open.flock(LOCK_EX | LOCK_NB)
        case .copyRange:
            let target = try File(directory / ".probe2", O_RDWR | O_CREAT)
            var from: Int64 = 0
            var to: Int64 = 0
            try call("copy_file_range") {
                clinux_copy_file_range(open.descriptor, &from, target.descriptor, &to, 4096, 0)
            }
        }
        return nil
    }
}

/// FICLONE takes its source by value.
private func clinux_fcntl_clone(_ target: CInt, _ source: CInt) -> CInt {
    clinux_ioctl(target, CBENCH_FICLONE, UnsafeMutableRawPointer(bitPattern: Int(source)))
}

/// A file handle (name_to_handle_at(2)).
struct FileHandle {
    var raw = clinux_file_handle()

    init(_ path: Path) throws(CallError) {
        var mount: CInt = 0
        raw.handle_bytes = 128
        try call("name_to_handle_at", path) {
            path.withCString { clinux_name_to_handle_at(AT_FDCWD, $0, &raw, &mount, 0) }
        }
    }

    /// Opens it on the filesystem of the working directory; returns the descriptor, which the caller closes.
    func open(_ flags: CInt) throws(CallError) -> CInt {
        var copy = raw
        let mount = try File(".", O_RDONLY | O_DIRECTORY)
        return try call("open_by_handle_at") { clinux_open_by_handle_at(mount.descriptor, &copy, flags | O_CLOEXEC) }
    }
}

/// A POSIX access control list, as it is kept in an extended attribute (linux/posix_acl_xattr.h).
struct AccessList {
    static let accessName: Path = "system.posix_acl_access"
    static let defaultName: Path = "system.posix_acl_default"

    var owner: UInt16
    var group: UInt16
    var other: UInt16
    var users: [UInt32: UInt16] = [:]
    var groups: [UInt32: UInt16] = [:]
    /// Nil takes rwx where a mask is needed.
    var mask: UInt16?

    var encoded: [UInt8] {
        var bytes: [UInt8] = [2, 0, 0, 0]
        func add(_ tag: UInt16, _ permissions: UInt16, _ id: UInt32 = .max) {
            withUnsafeBytes(of: tag.littleEndian) { bytes += $0 }
            withUnsafeBytes(of: permissions.littleEndian) { bytes += $0 }
            withUnsafeBytes(of: id.littleEndian) { bytes += $0 }
        }
        add(0x01, owner)
        for (id, permissions) in users.sorted(by: { $0.key < $1.key }) { add(0x02, permissions, id) }
        add(0x04, group)
        for (id, permissions) in groups.sorted(by: { $0.key < $1.key }) { add(0x08, permissions, id) }
        if mask != nil || !users.isEmpty || !groups.isEmpty { add(0x10, mask ?? 7) }
        add(0x20, other)
        return bytes
    }
}
