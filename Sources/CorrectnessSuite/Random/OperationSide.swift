import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// One of the two directories that a sequence runs on: carries operations out and says what came of them.
final class OperationSide {
    let root: Path
    /// The names as C strings, by number.
    private let names: [[CChar]]
    /// See ``DifferentialTask/leavesOutIdleTruncation``.
    var leavesOutIdleTruncation = false
    private var slots = [CInt](repeating: -1, count: Operation.slots)
    /// Those that may have locks.
    private var locked: Set<CInt> = []
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    /// Makes `root`, which anybody may write to.
    init(_ root: Path) throws(CallError) {
        self.root = root
        names = OperationNames.all.map { name in (root / name).bytes.map { CChar(bitPattern: $0) } + [0] }
        try FS.mkdir(root, 0o755)
        try FS.chmod(root, 0o777)
    }

    /// Closes what is open and removes everything. As root.
    func tearDown() {
        for slot in slots where slot >= 0 { _ = closeUnlocked(slot) }
        slots = slots.map { _ in -1 }
        FS.removeTree(root)
    }

    /// A FUSE mount lets go of an flock(2) a moment after close(2) has returned: here it goes before, on both sides.
    private func closeUnlocked(_ descriptor: CInt) -> Int {
        if locked.remove(descriptor) != nil {
            cbench_flock(descriptor, LOCK_UN)
            _ = lock(descriptor, F_UNLCK, 0, 0)
        }
        return Int(close(descriptor))
    }

    /// A lock of the open file description, which is not waited for.
    private func lock(_ descriptor: CInt, _ type: CInt, _ start: Int64, _ length: Int64) -> Int {
        var lock = RecordLock()
        lock.l_type = Int16(type)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = Int(start)
        lock.l_len = Int(length)
        return Int(clinux_fcntl_lock(descriptor, CLINUX_F_OFD_SETLK, &lock))
    }

    /// Carries out one operation.
    func perform(_ operation: Operation) -> OperationResult {
        switch operation.kind {
        case .open, .pread, .pwrite, .ftruncate, .fstat, .fallocate, .fsync, .copyrange, .flock, .lock, .close:
            onDescriptor(operation)
        case .write, .append, .read: onContent(operation)
        case .setxattr, .getxattr, .removexattr, .listxattr: onAttribute(operation)
        default: onName(operation)
        }
    }

    /// A call's own result, or its errno.
    private func result(_ value: Int) -> OperationResult {
        value < 0 ? OperationResult(errno: errno) : OperationResult(number: Int64(value))
    }

    private func onName(_ operation: Operation) -> OperationResult {
        let path = names[operation.subject]
        let mode = mode_t(truncatingIfNeeded: operation.first)
        switch operation.kind {
        case .create, .exclusive:
            let flags = operation.kind == .create ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR | O_CREAT | O_EXCL
            let descriptor = clinux_openat(AT_FDCWD, path, flags | O_CLOEXEC, mode)
            if descriptor < 0 { return OperationResult(errno: errno) }
            close(descriptor)
            return OperationResult()
        case .mkdir: return result(Int(mkdir(path, mode)))
        case .mknod:
            return result(Int(clinux_mknodat(AT_FDCWD, path, mode_t(FileKind.fifo.rawValue) | mode & 0o777, 0, 0)))
        case .symlink:
            return result(Int(OperationNames.targets[Int(operation.first)].withCString { symlink($0, path) }))
        case .link:
            // Whether it is allowed depends on the mode that the kernel has cached (fs.protected_hardlinks in proc(5)), which a
            // daemon cannot change at once: an open with O_TRUNC clears set-id bits. So it is asked for first.
            _ = attributes(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | CBENCH_AT_STATX_FORCE_SYNC)
            return result(Int(link(path, names[operation.other])))
        case .unlink: return result(Int(unlink(path)))
        case .rmdir: return result(Int(rmdir(path)))
        case .rename:
            return result(
                Int(clinux_renameat2(AT_FDCWD, path, AT_FDCWD, names[operation.other], UInt32(operation.first))))
        case .stat: return attributes(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
        case .list: return list(path)
        case .readlink:
            let count = buffer.withUnsafeMutableBytes {
                readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), 8192)
            }
            return count < 0 ? OperationResult(errno: errno) : OperationResult(data: Array(buffer[..<count]))
        case .access:
            // access(2) asks for the real user; the sequence has changed the filesystem one.
            return result(Int(faccessat(AT_FDCWD, path, CInt(operation.first), CInt(CBENCH_AT_EACCESS))))
        case .chmod: return result(Int(chmod(path, mode)))
        case .chown:
            return result(
                Int(
                    lchown(
                        path, uid_t(truncatingIfNeeded: operation.first), gid_t(truncatingIfNeeded: operation.second))))
        case .times:
            let time = timespec(FileTime(operation.first, operation.second))
            return result(Int(cbench_set_times(AT_FDCWD, path, [time, time], AT_SYMLINK_NOFOLLOW)))
        case .truncate:
            var status = Glibc.stat()
            if leavesOutIdleTruncation, stat(path, &status) == 0, status.st_size == operation.first {
                return OperationResult()
            }
            return result(Int(truncate(path, Int(operation.first))))
        case .user:
            // The working thread alone: cheap, and what the kernel goes by.
            let user = UInt32(operation.first)
            _ = clinux_setfsuid(0)
            clinux_setgroups(user == 0 ? 0 : 1, [60010])
            _ = clinux_setfsgid(user)
            _ = clinux_setfsuid(user)
            return OperationResult()
        default: return OperationResult()
        }
    }

    private func onContent(_ operation: Operation) -> OperationResult {
        let path = names[operation.subject]
        let flags = [.write: O_WRONLY, .append: O_WRONLY | O_APPEND, .read: O_RDONLY][operation.kind]!
        // Not blocking: the name may be a fifo's.
        let descriptor = clinux_openat(AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK, 0)
        if descriptor < 0 { return OperationResult(errno: errno) }
        defer { close(descriptor) }
        switch operation.kind {
        case .read: return read(descriptor, operation)
        case .write: return write(descriptor, operation)
        default:
            fill(operation)
            return result(buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, Int(operation.second)) })
        }
    }

    private func onDescriptor(_ operation: Operation) -> OperationResult {
        if operation.kind == .open {
            let descriptor = clinux_openat(
                AT_FDCWD, names[operation.subject], CInt(operation.first) | O_CLOEXEC | O_NONBLOCK, 0o644)
            if descriptor < 0 { return OperationResult(errno: errno) }
            if slots[operation.other] >= 0 { _ = closeUnlocked(slots[operation.other]) }
            slots[operation.other] = descriptor
            return OperationResult()
        }
        let descriptor = slots[operation.subject]
        switch operation.kind {
        case .pread: return read(descriptor, operation)
        case .pwrite: return write(descriptor, operation)
        case .ftruncate:
            var status = Glibc.stat()
            if leavesOutIdleTruncation, fstat(descriptor, &status) == 0, status.st_size == operation.first {
                return OperationResult()
            }
            return result(Int(ftruncate(descriptor, Int(operation.first))))
        case .fstat:
            return descriptor < 0 ? OperationResult(errno: EBADF) : attributes(descriptor, [0], CLINUX_AT_EMPTY_PATH)
        case .fallocate:
            if emptiesSetID(operation, descriptor) { return OperationResult(number: 0) }
            return result(Int(clinux_fallocate(descriptor, CInt(operation.third), operation.first, operation.second)))
        case .fsync: return result(Int(fsync(descriptor)))
        case .flock:
            locked.insert(descriptor)
            return result(Int(cbench_flock(descriptor, CInt(operation.first) | LOCK_NB)))
        case .lock:
            locked.insert(descriptor)
            return result(lock(descriptor, CInt(operation.third), operation.first, operation.second))
        case .copyrange:
            var from = operation.first
            var to = operation.third
            return result(
                clinux_copy_file_range(descriptor, &from, slots[operation.other], &to, Int(operation.second), 0))
        default:
            if descriptor < 0 { return OperationResult(errno: EBADF) }
            slots[operation.subject] = -1
            return result(closeUnlocked(descriptor))
        }
    }

    /// The kernel drops the set-id bits of a FUSE file before it asks the daemon. Filesystems keep them if they change nothing:
    /// where the hole is there already (btrfs), or if they have no such call (tmpfs and zeroed ranges).
    private func emptiesSetID(_ operation: Operation, _ descriptor: CInt) -> Bool {
        guard CInt(operation.third) & (CBENCH_FALLOC_PUNCH_HOLE | CBENCH_FALLOC_ZERO_RANGE) != 0 else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & (S_ISUID | S_ISGID) != 0
    }

    private func onAttribute(_ operation: Operation) -> OperationResult {
        let path = names[operation.subject]
        if operation.kind == .listxattr {
            let count = buffer.withUnsafeMutableBytes {
                llistxattr(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
            if count < 0 { return OperationResult(errno: errno) }
            let own = buffer[..<count].split(separator: 0).filter { $0.starts(with: Array("user.".utf8)) }
            return OperationResult(
                data: Array(own.map { String(decoding: $0, as: UTF8.self) }.sorted().joined(separator: "\n").utf8))
        }
        return OperationNames.attributes[operation.other].withCString { name in
            switch operation.kind {
            case .setxattr:
                fill(operation)
                return result(
                    Int(
                        buffer.withUnsafeBytes {
                            lsetxattr(path, name, $0.baseAddress, Int(operation.first), CInt(operation.second))
                        }))
            case .getxattr:
                let count = buffer.withUnsafeMutableBytes { lgetxattr(path, name, $0.baseAddress, $0.count) }
                return count < 0 ? OperationResult(errno: errno) : OperationResult(data: Array(buffer[..<count]))
            default: return result(Int(lremovexattr(path, name)))
            }
        }
    }

    private func read(_ descriptor: CInt, _ operation: Operation) -> OperationResult {
        let count = buffer.withUnsafeMutableBytes {
            pread(descriptor, $0.baseAddress, Int(operation.second), Int(operation.first))
        }
        return count < 0
            ? OperationResult(errno: errno) : OperationResult(number: Int64(count), data: Array(buffer[..<count]))
    }

    private func write(_ descriptor: CInt, _ operation: Operation) -> OperationResult {
        fill(operation)
        return result(
            buffer.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, Int(operation.second), Int(operation.first)) })
    }

    /// Bytes that tell one write, and one place in it, from another.
    private func fill(_ operation: Operation) {
        let seed = UInt8(truncatingIfNeeded: operation.third)
        let count = Int(max(operation.first, operation.second))
        buffer.withUnsafeMutableBytes { bytes in
            for index in 0..<min(count, bytes.count) {
                bytes[index] = seed &+ UInt8(truncatingIfNeeded: index &* 7 &+ index >> 8) | 1
            }
        }
    }

    private func attributes(_ directory: CInt, _ path: [CChar], _ flags: CInt) -> OperationResult {
        var raw = statx()
        if clinux_statx(directory, path, flags, CBENCH_STATX_BASIC, &raw) < 0 { return OperationResult(errno: errno) }
        return OperationResult(attributes: ComparedAttributes(Attributes(raw: raw)))
    }

    private func list(_ path: [CChar]) -> OperationResult {
        let descriptor = clinux_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if descriptor < 0 { return OperationResult(errno: errno) }
        defer { close(descriptor) }
        var lines: [String] = []
        while true {
            let count = buffer.withUnsafeMutableBytes { clinux_getdents64(descriptor, $0.baseAddress, 4096) }
            if count < 0 { return OperationResult(errno: errno) }
            if count == 0 { break }
            var at = 0
            while at < count {
                let size = Int(buffer[at + 16]) | Int(buffer[at + 17]) << 8
                let name = Path(bytes: Array(buffer[at + 19..<at + size].prefix { $0 != 0 }))
                lines.append("\(name) \(buffer[at + 18])")
                at += size
            }
        }
        return OperationResult(data: Array(lines.sorted().joined(separator: "\n").utf8))
    }

    /// The whole tree as text: names, attributes, content, extended attributes, and which names are one file. As root.
    func tree() -> [String] {
        var lines: [String] = []
        var files: [UInt64: Path] = [:]
        func walk(_ directory: Path, _ relative: Path) {
            guard let names = try? FS.names(directory) else { return lines.append("\(relative): cannot be listed") }
            for name in names.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
                let path = directory / name
                let shown = relative.bytes.isEmpty ? name : relative / name
                guard let attributes = try? FS.stat(path) else {
                    lines.append("\(shown): cannot be read")
                    continue
                }
                var line = "\(shown): \(ComparedAttributes(attributes))"
                if attributes.kind == .regular {
                    if let first = files[attributes.inode] {
                        line += " is \(first)"
                    } else {
                        files[attributes.inode] = shown
                    }
                    line += " content " + ((try? FS.contents(path)).map(digest) ?? "cannot be read")
                }
                if attributes.kind == .symbolicLink { line += " to \((try? FS.readlink(path)) ?? "?")" }
                for attribute in OperationNames.attributes {
                    if let value = try? FS.getxattr(path, attribute) { line += " \(attribute)=\(digest(value))" }
                }
                lines.append(line)
                if attributes.kind == .directory { walk(path, shown) }
            }
        }
        walk(root, "")
        return lines
    }

    private func digest(_ bytes: [UInt8]) -> String {
        var hash = FNV1a()
        bytes.withUnsafeBytes { hash.combine($0) }
        return "\(bytes.count) bytes \(String(hash.value, radix: 16))"
    }
}
