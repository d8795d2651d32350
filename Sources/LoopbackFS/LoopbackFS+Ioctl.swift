package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// ioctl(2): inode flags, as chattr(1) and xfs_io(8) use them. Any other request could be the backing filesystem's own
/// and mean the source's device, so it is ENOTTY.
extension LoopbackFS {
    package func ioctl(
        _ request: borrowing Request, _ arguments: fuse_ioctl_in, input: RawSpan, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let descriptor: CInt
        let node: UInt64
        // Held, so that the descriptor stays open.
        let file: AnyObject
        if arguments.flags & UInt32(FUSE_IOCTL_DIR) != 0 {
            let directory = try directories.find(arguments.fh)
            descriptor = directory.backing.descriptor.rawValue
            file = directory
            node = directory.inode.node
        } else {
            let open = try files.find(arguments.fh)
            descriptor = open.descriptor
            file = open
            node = open.inode.node
        }
        defer { withExtendedLifetime(file) {} }
        guard let command = InodeFlagsCommand(arguments.cmd) else { throw .inappropriateIOCTLForDevice }
        // 32 bytes: a long of the flags, or struct fsxattr (28 bytes).
        var data = SIMD4<UInt64>()
        if command.writes {
            let size = min(input.byteCount, command.size)
            guard size >= command.minimumSize else { throw .invalidArgument }
            unsafe withUnsafeMutableBytes(of: &data) { data in
                unsafe input.withUnsafeBytes {
                    unsafe data.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<size]))
                }
            }
        }
        _ = try Errno.check { unsafe clinux_ioctl(descriptor, UInt(arguments.cmd), &data) }
        // The change time, which the kernel does not expect of an ioctl.
        if command.writes { invalidateAttributes(of: node) }
        try reply.append(fuse_ioctl_out())
        if !command.writes {
            let size = min(Int(arguments.out_size), command.size)
            try unsafe reply.append(atMost: size) { buffer throws(Errno) in
                unsafe withUnsafeBytes(of: data) {
                    unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<buffer.count]))
                }
                return buffer.count
            }
        }
        return .reply
    }

    /// The requests that are passed on.
    private struct InodeFlagsCommand {
        let writes: Bool
        /// Bytes of its data, and the least that the kernel may send: of the flags, declared `long`, it sends an `int`.
        let size: Int
        let minimumSize: Int

        init?(_ command: UInt32) {
            switch UInt(command) {
            case CLINUX_FS_IOC_GETFLAGS, CLINUX_FS_IOC_GETVERSION: (writes, size, minimumSize) = (false, 8, 4)
            case CLINUX_FS_IOC_SETFLAGS: (writes, size, minimumSize) = (true, 8, 4)
            case CLINUX_FS_IOC_FSGETXATTR: (writes, size, minimumSize) = (false, 28, 28)
            case CLINUX_FS_IOC_FSSETXATTR: (writes, size, minimumSize) = (true, 28, 28)
            default: return nil
            }
        }
    }
}
