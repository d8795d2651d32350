import CFUSE
import FUSEProtocol
import Glibc
import LinuxSystem
import SystemPackage

/// INIT, a connection's first request. It comes by read(2) of `/dev/fuse` and is answered there, whatever transport serves
/// the rest.
struct InitExchange {
    private let connection: Connection
    private let unique: UInt64
    /// What the kernel offers.
    let offer: fuse_init_in

    /// Waits for INIT.
    ///
    /// - Throws: ENODEV after an unmount; EINTR when woken; EINVAL if something else came.
    init(on connection: Connection) throws(Errno) {
        self.connection = connection
        var buffer = [UInt8](repeating: 0, count: Message.minimumBufferSize)
        let count = try Errno.check(retryOnInterrupt: false) {
            unsafe read(connection.device.rawValue, &buffer, buffer.count)
        }
        let request = try unsafe Message.split(buffer.span.bytes.extracting(first: count))
        guard request.opcode == .`init` else { throw .invalidArgument }
        unique = request.unique
        offer = try request.argument()
    }

    /// Says what is agreed.
    ///
    /// - Throws: what write(2) says; ENODEV if the connection has ended meanwhile.
    func reply(_ answer: cfuse_init_out) throws(Errno) {
        let size = MemoryLayout<cfuse_init_out>.size
        var message = (Message.replyHeader(to: unique, error: 0, count: size), answer)
        _ = try Errno.check {
            unsafe write(connection.device.rawValue, &message, MemoryLayout<fuse_out_header>.size + size)
        }
    }
}
