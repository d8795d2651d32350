import CBench
import CLinux
import Glibc

/// A client of the mount: one operation of its own process, which ends with its errno. Whatever the daemon answers,
/// all that is asked of it is that it ends when it is killed.
enum FuzzClient {
    /// As long as an extended attribute may be.
    private static let longestValue = 1 << 16

    /// Makes the operation, and ends the process.
    static func run(_ operation: ClientMove.Operation, _ root: String) -> Never {
        // Ring, device and pipe are the daemon's: whoever has one of them keeps the connection.
        clinux_close_range(3, .max, 0)
        errno = 0
        let result = make(operation, root)
        _exit(result < 0 ? max(1, errno) : 0)
    }

    private static func make(_ operation: ClientMove.Operation, _ root: String) -> Int {
        let file = root + "/f"
        var buffer = [UInt8](repeating: 0x61, count: longestValue)
        switch operation {
        case .lookup:
            var status = stat()
            return Int(lstat(file, &status))
        case .stat:
            var status = stat()
            return Int(lstat(root, &status))
        case .read:
            let descriptor = open(file, O_RDONLY)
            return descriptor < 0 ? -1 : pread(descriptor, &buffer, buffer.count, 0)
        case .write:
            let descriptor = open(file, O_RDWR)
            return descriptor < 0 ? -1 : pwrite(descriptor, buffer, buffer.count, 4096)
        case .map: return map(file)
        case .lock:
            let descriptor = open(file, O_RDWR)
            var lock = flock()
            lock.l_type = Int16(F_WRLCK)
            return descriptor < 0 ? -1 : Int(clinux_fcntl_lock(descriptor, F_SETLKW, &lock))
        case .setxattr: return Int(setxattr(root, "user.fuzz", buffer, buffer.count, 0))
        case .getxattr: return getxattr(root, "user.fuzz", &buffer, buffer.count)
        case .listxattr:
            return buffer.withUnsafeMutableBytes {
                listxattr(root, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
        case .readdir:
            let descriptor = open(root, O_RDONLY | O_DIRECTORY)
            if descriptor < 0 { return -1 }
            while true {
                let count = clinux_getdents64(descriptor, &buffer, buffer.count)
                if count <= 0 { return count }
            }
        case .create: return Int(open(root + "/new", O_RDWR | O_CREAT, 0o644))
        case .statfs:
            var status = statvfs()
            return Int(cbench_statvfs(root, &status))
        case .truncate: return Int(truncate(file, 10))
        case .fsync:
            let descriptor = open(root, O_RDONLY | O_DIRECTORY)
            return descriptor < 0 ? -1 : Int(Glibc.fsync(descriptor))
        case .copy:
            let (from, to) = (open(file, O_RDONLY), open(file, O_RDWR))
            var (start, end): (Int64, Int64) = (0, 1 << 15)
            return from < 0 || to < 0 ? -1 : clinux_copy_file_range(from, &start, to, &end, 4096, 0)
        case .poll:
            let descriptor = open(file, O_RDONLY)
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return descriptor < 0 ? -1 : Int(Glibc.poll(&entry, 1, 1000))
        case .ioctl:
            let descriptor = open(file, O_RDONLY)
            var flags = 0
            return descriptor < 0 ? -1 : Int(clinux_ioctl(descriptor, CLINUX_FS_IOC_GETFLAGS, &flags))
        }
    }

    private static func map(_ file: String) -> Int {
        let descriptor = open(file, O_RDWR)
        guard descriptor >= 0, let memory = cbench_map(descriptor, 0, 8192, 1, 1) else { return -1 }
        if cbench_read_fault(memory) != 0 { return -1 }
        memory.storeBytes(of: 1, toByteOffset: 4096, as: UInt8.self)
        return Int(msync(memory, 8192, MS_SYNC))
    }
}
