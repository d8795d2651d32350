import CFUSE
import FUSEProtocol
import Glibc
import LinuxSystem
import Logging
import LoopbackFS
import SystemPackage
import TransportLegacy

@testable import FUSEServer

/// The kernel's end of a connection, played by the test: messages go in as bytes, replies come out as bytes, over a socket that keeps
/// their borders as `/dev/fuse` does.
final class ScriptedKernel {
    /// A directory with a file `f` in it, which the daemon serves.
    let source: String
    private let socket: CInt
    private let session: Session
    private let transport: any Transport
    private let fileSystem: LoopbackFS
    private var unique: UInt64 = 0x10
    /// What the daemon made of INIT, to which every flag was offered.
    let agreed: InitFlags

    /// A reply as it came.
    struct Reply {
        var unique: UInt64
        /// Nil for success.
        var error: Errno?
        var body: [UInt8]

        func decode<Value: BitwiseCopyable>(_ type: Value.Type) -> Value? {
            guard body.count >= MemoryLayout<Value>.size else { return nil }
            return body.withUnsafeBytes { $0.loadUnaligned(as: type) }
        }
    }

    init(threads: Int = 1, _ change: (inout LoopbackFS.Configuration) -> Void = { _ in }) throws {
        var template = Array("/tmp/fstestkit-wire.XXXXXX".utf8CString)
        mkdtemp(&template)
        source = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = open("\(source)/f", O_RDWR | O_CREAT, 0o644)
        write(file, "0123456789", 10)
        close(file)
        var ends: [CInt] = [-1, -1]
        // SOCK_SEQPACKET is 5; Swift imports it as an enumeration.
        guard socketpair(AF_UNIX, 5, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
        for end in ends {
            var size: CInt = 4 << 20
            setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4)
            setsockopt(end, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
        }
        socket = ends[0]
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var log = Logger(label: "wire")
        log.logLevel = .critical
        var configuration = LoopbackFS.Configuration(source: FilePath(source))
        change(&configuration)
        fileSystem = try LoopbackFS(configuration, logger: log)
        let connection = Connection(peer: FileDescriptor(rawValue: ends[1]))
        session = try Session(connection, fileSystem: fileSystem, configuration: Session.Configuration(), log: log)
        // Clones of a socket there are none: one thread.
        let legacy = LegacyTransport(threads: threads)
        WakeUpSignal.install()
        // The server's threads inherit the mask of this one, which may be a pool's.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, WakeUpSignal.number)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        // INIT waits in the socket when the session asks for it.
        let offer = fuse_init_in(
            major: 7, minor: 45, max_readahead: 131_072, flags: .max, flags2: 0x3ff,
            unused: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        try ScriptedKernel.send(
            socket, ScriptedKernel.message(opcode: 26, unique: 2, node: 0, arguments: bytes(of: offer)))
        transport = try session.negotiate(over: legacy)
        guard let reply = ScriptedKernel.receive(socket, within: 5), reply.unique == 2, reply.error == nil,
            let answer = reply.decode(cfuse_init_out.self)
        else { throw Errno.ioError }
        agreed = InitFlags(rawValue: UInt64(answer.flags) | UInt64(answer.flags2) << 32)
    }

    deinit {
        _ = transport.stop(until: Deadline(secondsFromNow: 2))
        close(socket)
        fileSystem.stop()
        unlink("\(source)/f")
        rmdir(source)
    }

    /// The bytes of a message. `length` is what its header says, where that shall be wrong.
    static func message(
        opcode: UInt32, unique: UInt64, node: UInt64, arguments: [UInt8] = [], length: UInt32? = nil,
        extensions: UInt16 = 0
    ) -> [UInt8] {
        var header = fuse_in_header()
        header.len = length ?? UInt32(MemoryLayout<fuse_in_header>.size + arguments.count)
        header.opcode = opcode
        header.unique = unique
        header.nodeid = node
        header.total_extlen = extensions
        return bytes(of: header) + arguments
    }

    static func send(_ socket: CInt, _ message: [UInt8]) throws {
        _ = try Errno.check { write(socket, message, message.count) }
    }

    func send(_ message: [UInt8]) throws { try ScriptedKernel.send(socket, message) }

    /// The next reply; nil if none comes within the time (seconds).
    func receive(within seconds: Int = 5) -> Reply? { ScriptedKernel.receive(socket, within: seconds) }

    private static func receive(_ socket: CInt, within seconds: Int) -> Reply? {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, CInt(seconds * 1000)) == 1 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 2 << 20)
        let count = read(socket, &buffer, buffer.count)
        guard count >= MemoryLayout<fuse_out_header>.size else { return nil }
        let header = buffer.withUnsafeBytes { $0.loadUnaligned(as: fuse_out_header.self) }
        guard Int(header.len) == count else { return nil }
        // Notifications have no id: they are no replies.
        if header.unique == 0 { return receive(socket, within: seconds) }
        return Reply(
            unique: header.unique, error: header.error == 0 ? nil : Errno(rawValue: -header.error),
            body: Array(buffer[MemoryLayout<fuse_out_header>.size..<count]))
    }

    /// Whether nothing is said for a moment.
    var isSilent: Bool {
        receive(within: 0) == nil
            && {
                usleep(50_000); return receive(within: 0) == nil
            }()
    }

    /// Sends a request under a new id and waits for its reply.
    func ask(_ opcode: UInt32, node: UInt64 = 1, _ arguments: [UInt8] = []) throws -> Reply? {
        unique += 2
        try send(ScriptedKernel.message(opcode: opcode, unique: unique, node: node, arguments: arguments))
        guard let reply = receive(), reply.unique == unique else { return nil }
        return reply
    }

    /// Whether an ordinary request gets its ordinary reply.
    func isAlive() throws -> Bool {
        guard let reply = try ask(1, Array("f".utf8) + [0]), reply.error == nil else { return false }
        return reply.decode(fuse_entry_out.self)?.attr.size == 10
    }
}

/// The bytes of a struct of the ABI.
func bytes<Value: BitwiseCopyable>(of value: Value) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
}
