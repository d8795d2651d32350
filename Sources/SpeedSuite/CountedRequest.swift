import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A request whose instructions are counted, and the system calls of a client that make the kernel send just that, one for each.
public enum CountedRequest: String, Sendable, CaseIterable {
    case read = "READ"
    case write = "WRITE"
    case lookup = "LOOKUP"
    case getattr = "GETATTR"

    /// Names expire at once, so that each open looks its name up; attributes last, so that nothing else is asked.
    static let mountOptions = "entry_timeout=0,attr_timeout=3600"

    /// The kernel's number of it.
    var opcode: Int {
        switch self {
        case .lookup: 1
        case .getattr: 3
        case .read: 15
        case .write: 16
        }
    }
}

/// A client of one thread that sends one request after the other.
final class CountedClient {
    private let path: String
    private let file: CInt
    private let block: UnsafeMutableRawPointer

    static let size = 4096
    static let blocks = 64

    /// - Parameter path: a file of ``blocks`` blocks on the mount.
    init(_ path: String) throws(Errno) {
        self.path = path
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 4096, CountedClient.size) == 0, let memory else { throw .noMemory }
        memset(memory, 7, CountedClient.size)
        block = memory
        file = try Errno.check { clinux_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC | CLINUX_O_DIRECT, 0) }
    }

    deinit {
        close(file)
        free(block)
    }

    func send(_ request: CountedRequest, _ number: Int) throws(Errno) {
        let offset = number % CountedClient.blocks * CountedClient.size
        switch request {
        case .read: _ = try Errno.check { pread(file, block, CountedClient.size, offset) }
        case .write: _ = try Errno.check { pwrite(file, block, CountedClient.size, offset) }
        case .lookup:
            close(try Errno.check { clinux_openat(AT_FDCWD, path, CLINUX_O_PATH | O_CLOEXEC, 0) })
        case .getattr:
            var status = statx()
            let flags = CBENCH_AT_STATX_FORCE_SYNC | CountedClient.emptyPath
            _ = try Errno.check { clinux_statx(file, "", flags, CBENCH_STATX_BASIC, &status) }
        }
    }

    /// AT_EMPTY_PATH.
    private static let emptyPath: CInt = 0x1000
}
