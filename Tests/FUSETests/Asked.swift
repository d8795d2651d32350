import CFUSE
import FUSEProtocol
import Glibc
import LinuxSystem
import SystemPackage

@testable import FUSE
@testable import FUSEServer

/// A filesystem that is asked by hand-made messages: no mount, no kernel.
final class Asked<Served: FUSE.FileSystem> {
    let handler: RequestHandler<Served>
    /// What notifications go to.
    private let kernel: CInt

    init(_ fileSystem: Served) {
        var ends: [CInt] = [-1, -1]
        // SOCK_SEQPACKET is 5; Swift imports it as an enumeration.
        socketpair(AF_UNIX, 5, 0, &ends)
        kernel = ends[0]
        handler = RequestHandler(
            fileSystem, Notifier(Connection(peer: FileDescriptor(rawValue: ends[1]))))
        handler.start([])
    }

    deinit { close(kernel) }

    /// The next notification: its code and what follows the header.
    func notification() -> (code: CInt, body: [UInt8])? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(kernel, &bytes, bytes.count, CInt(MSG_DONTWAIT))
        guard count >= MemoryLayout<fuse_out_header>.size else { return nil }
        let header = bytes.withUnsafeBytes { $0.load(as: fuse_out_header.self) }
        guard header.unique == 0, Int(header.len) == count else { return nil }
        return (header.error, Array(bytes[MemoryLayout<fuse_out_header>.size..<count]))
    }

    enum Answer {
        case reply([UInt8])
        case failure(Errno)
        case deferred(DeferredWork)
        case other

        var bytes: [UInt8]? { if case .reply(let bytes) = self { bytes } else { nil } }
        var errno: Errno? { if case .failure(let error) = self { error } else { nil } }

        func decode<Value: BitwiseCopyable>(_ type: Value.Type, at offset: Int = 0) -> Value? {
            guard let bytes, bytes.count >= offset + MemoryLayout<Value>.size else { return nil }
            return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
        }
    }

    /// Sends a message through the decoder and the dispatcher.
    func ask(_ opcode: Opcode, node: UInt64 = 1, _ body: [UInt8] = [], unique: UInt64 = 2) -> Answer {
        let size = MemoryLayout<fuse_in_header>.size + body.count
        let header = fuse_in_header(
            len: UInt32(size), opcode: opcode.rawValue, unique: unique, nodeid: node, uid: 10, gid: 20, pid: 30,
            total_extlen: 0, padding: 0)
        let message = bytes(of: header) + body
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { room.deallocate() }
        do throws(Errno) {
            let request = try Message.split(message.span.bytes)
            var reply = ReplyBuffer(room)
            switch handler.dispatch(request, reply: &reply) {
            case .reply: return .reply(reply.bytes)
            case .failure(let error): return .failure(error)
            case .deferred(let work): return .deferred(work)
            default: return .other
            }
        } catch {
            return .failure(error)
        }
    }

    /// Asks for what comes later, and waits for it.
    func askAndWait(_ opcode: Opcode, node: UInt64 = 1, _ body: [UInt8] = []) async -> Answer {
        guard case .deferred(let work) = ask(opcode, node: node, body) else { return .other }
        return await LateReply(work, unique: 2).wait() ?? .other
    }

    /// A reply that somebody else gives.
    final class LateReply: Sendable {
        private let answer = Lock<Answer?>(nil)

        init(_ work: DeferredWork, unique: UInt64) {
            work.run(
                DeferredReply(unique: unique) { [self] error, body in
                    answer.withLock { answer in
                        precondition(answer == nil, "answered twice")
                        answer = error.map { .failure($0) } ?? .reply(body)
                    }
                })
        }

        /// Nil if it does not come. It blocks nobody: the tasks that are waited for run on the threads that tests run on.
        func wait(_ seconds: Double = 5) async -> Answer? {
            let deadline = Deadline(secondsFromNow: seconds)
            while true {
                if let answer = answer.withLock({ $0 }) { return answer }
                if deadline.hasPassed { return nil }
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
    }
}

func bytes<Value: BitwiseCopyable>(of value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

func name(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
