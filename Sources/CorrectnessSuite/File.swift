import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// `struct flock`, which Swift takes for the function of that name.
typealias RecordLock = flock

/// An open file of a check, closed when the last reference goes.
final class File {
    let descriptor: CInt
    let path: Path
    private var isClosed = false

    init(_ path: Path, _ flags: CInt, _ mode: mode_t = 0o644) throws(CallError) {
        self.path = path
        descriptor = try call("open", path) {
            path.withCString { clinux_openat(AT_FDCWD, $0, flags | O_CLOEXEC, mode) }
        }
    }

    deinit {
        if !isClosed { Glibc.close(descriptor) }
    }

    func close() throws(CallError) {
        isClosed = true
        try call("close", path) { Glibc.close(descriptor) }
    }

    /// pread(2): what one call returns.
    func read(_ count: Int, at offset: Int64) throws(CallError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = try call("pread", path) { pread(descriptor, &buffer, count, Int(offset)) }
        if got < count { buffer.removeLast(count - got) }
        return buffer
    }

    /// read(2) at the file's own position.
    func read(_ count: Int) throws(CallError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = try call("read", path) { Glibc.read(descriptor, &buffer, count) }
        return Array(buffer.prefix(got))
    }

    /// Everything from the start to the end.
    func readAll() throws(CallError) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let part = try read(256 << 10, at: Int64(all.count))
            if part.isEmpty { return all }
            all += part
        }
    }

    /// pwrite(2) of all of it; a short count is an error here (`ENOSPC` if it stays so, else EIO).
    func write(_ data: [UInt8], at offset: Int64) throws(CallError) {
        let count = try call("pwrite", path) { pwrite(descriptor, data, data.count, Int(offset)) }
        if count != data.count {
            throw CallError(call: "pwrite (short: \(count) of \(data.count))", path: path, errno: .ioError)
        }
    }

    func write(_ text: String, at offset: Int64) throws(CallError) {
        try write(Array(text.utf8), at: offset)
    }

    /// write(2) at the file's own position.
    func append(_ data: [UInt8]) throws(CallError) {
        let count = try call("write", path) { Glibc.write(descriptor, data, data.count) }
        if count != data.count {
            throw CallError(call: "write (short: \(count) of \(data.count))", path: path, errno: .ioError)
        }
    }

    func seek(_ offset: Int64, _ whence: CInt) throws(CallError) -> Int64 {
        Int64(try call("lseek", path) { lseek(descriptor, Int(offset), whence) })
    }

    func truncate(_ size: Int64) throws(CallError) {
        try call("ftruncate", path) { ftruncate(descriptor, Int(size)) }
    }

    func sync() throws(CallError) {
        try call("fsync", path) { fsync(descriptor) }
    }

    func allocate(_ mode: CInt, _ offset: Int64, _ length: Int64) throws(CallError) {
        try call("fallocate", path) { clinux_fallocate(descriptor, mode, offset, length) }
    }

    func stat() throws(CallError) -> Attributes {
        var raw = statx()
        try call("fstat", path) {
            clinux_statx(descriptor, "", CLINUX_AT_EMPTY_PATH, CBENCH_STATX_BASIC | CBENCH_STATX_BTIME, &raw)
        }
        return Attributes(raw: raw)
    }

    func chmod(_ mode: mode_t) throws(CallError) {
        try call("fchmod", path) { fchmod(descriptor, mode) }
    }

    func setTimes(accessed: FileTime?, modified: FileTime?) throws(CallError) {
        try call("futimens", path) { cbench_set_times(descriptor, nil, [timespec(accessed), timespec(modified)], 0) }
    }

    /// The entries that one getdents64(2) call returns, from the present position on; empty at the end.
    func nextEntries(room: Int = 32768) throws(CallError) -> [DirectoryEntry] {
        var buffer = [UInt8](repeating: 0, count: room)
        let count = try call("getdents64", path) { clinux_getdents64(descriptor, &buffer, room) }
        return buffer.withUnsafeBytes { bytes in
            var entries: [DirectoryEntry] = []
            var at = 0
            while at < count {
                let size = Int(bytes.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
                entries.append(
                    DirectoryEntry(
                        name: Path(bytes: Array(bytes[at + 19..<at + size].prefix { $0 != 0 })),
                        inode: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self), type: bytes[at + 18],
                        nextOffset: bytes.loadUnaligned(fromByteOffset: at + 8, as: Int64.self)))
                at += size
            }
            return entries
        }
    }

    /// All entries from the present position on.
    func entries(room: Int = 32768) throws(CallError) -> [DirectoryEntry] {
        var all: [DirectoryEntry] = []
        while true {
            let some = try nextEntries(room: room)
            if some.isEmpty { return all }
            all += some
        }
    }

    /// ioctl(2) with a pointer to `value`.
    func ioctl<Value: BitwiseCopyable>(_ name: String, _ request: UInt, _ value: inout Value) throws(CallError) {
        try call(name, path) { clinux_ioctl(descriptor, request, &value) }
    }

    /// A record lock (fcntl(2)); `length` 0 is to the end.
    func lock(
        _ command: CInt, _ type: CInt, _ start: Int64 = 0, _ length: Int64 = 0
    ) throws(CallError) {
        var lock = RecordLock()
        lock.l_type = Int16(type)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = Int(start)
        lock.l_len = Int(length)
        try call("fcntl lock", path) { clinux_fcntl_lock(descriptor, command, &lock) }
    }

    /// F_GETLK: who stands in the way of such a lock.
    func blocker(of type: CInt, _ start: Int64 = 0, _ length: Int64 = 0) throws(CallError) -> RecordLock {
        var lock = RecordLock()
        lock.l_type = Int16(type)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = Int(start)
        lock.l_len = Int(length)
        try call("fcntl getlk", path) { clinux_fcntl_lock(descriptor, F_GETLK, &lock) }
        return lock
    }

    /// flock(2).
    func flock(_ operation: CInt) throws(CallError) {
        try call("flock", path) { cbench_flock(descriptor, operation) }
    }

    /// mmap(2).
    func map(_ length: Int, offset: Int64 = 0, writable: Bool, shared: Bool) throws(CallError) -> Mapping {
        guard let memory = cbench_map(descriptor, offset, length, writable ? 1 : 0, shared ? 1 : 0) else {
            throw CallError(call: "mmap", path: path, errno: .last)
        }
        return Mapping(memory, length)
    }
}

/// A mapped file, unmapped when the last reference goes.
final class Mapping {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ memory: UnsafeMutableRawPointer, _ length: Int) {
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: length)
    }

    deinit {
        munmap(bytes.baseAddress!, bytes.count)
    }

    func read(_ count: Int, at offset: Int) -> [UInt8] {
        Array(bytes[offset..<offset + count])
    }

    func write(_ data: [UInt8], at offset: Int) {
        bytes[offset..<offset + data.count].copyBytes(from: data)
    }

    func sync() throws(CallError) {
        try call("msync") { msync(bytes.baseAddress!, bytes.count, MS_SYNC) }
    }
}
