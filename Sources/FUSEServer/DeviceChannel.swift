import CFUSE
import CLinux
import FUSEProtocol
import Glibc
import LinuxSystem
import Synchronization
public import SystemPackage

/// Takes requests from a `/dev/fuse` descriptor and answers them there, one at a time: a thread of the legacy transport,
/// or the side reader of a ring.
///
/// The buffers are laid out so that a WRITE's data and a READ's reply begin on a page: backing files opened with O_DIRECT
/// demand it.
public final class DeviceChannel: @unchecked Sendable {
    private let session: Session
    private let descriptor: DeviceDescriptor
    /// What this channel's thread has counted.
    public let counters = Counters(channel: .device)
    /// Two regions: requests, and replies.
    private let memory: BufferMemory
    private let regionSize: Int
    private let replyCapacity: Int
    private let pageSize = MemoryPage.size
    private let busy = Atomic<Bool>(false)
    private let draining = Atomic<Bool>(false)
    private let deferred = Atomic<Int>(0)

    private static let replyHeaderSize = MemoryLayout<fuse_out_header>.size

    /// - Parameter descriptor: the mount's, or a clone of it: a reply must go where its request came from.
    /// - Throws: ENOMEM.
    public init(_ session: Session, descriptor: DeviceDescriptor, limits: Limits) throws(Errno) {
        self.session = session
        self.descriptor = descriptor
        replyCapacity = limits.payloadSize
        regionSize = limits.payloadSize + 2 * pageSize
        memory = try BufferMemory(byteCount: 2 * regionSize)
    }

    /// Begins so far before the region's second page that the payload of a WRITE begins with that page.
    private var requestBuffer: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: memory.bytes.baseAddress! + pageSize - Message.writeHeaderSize,
            count: regionSize - pageSize + Message.writeHeaderSize)
    }

    /// The reply's body; its header lies right before it.
    private var replyBody: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: memory.bytes.baseAddress! + regionSize + pageSize, count: replyCapacity)
    }

    /// Requests taken and not yet answered.
    public var requestsInHand: Int {
        (busy.load(ordering: .acquiring) ? 1 : 0) + deferred.load(ordering: .acquiring)
    }

    /// Leaves new requests unanswered.
    public func drain() { draining.store(true, ordering: .releasing) }

    /// Serves until the connection ends, or `stop` says so when the thread is woken.
    public func serve(until stop: () -> Bool) {
        while !stop() {
            let length: Int
            do throws(Errno) {
                length = try receive()
            } catch .interrupted, .noSuchFileOrDirectory, .resourceTemporarilyUnavailable {
                // Woken; or the request was withdrawn while it was copied, so there is nothing to answer.
                continue
            } catch {
                session.connectionEnded(
                    error == .noSuchDevice
                        ? .unmounted
                        : error == .connectionAbort
                            ? .aborted
                            : .failure("reading /dev/fuse: \(error)"))
                return
            }
            busy.store(true, ordering: .releasing)
            if !draining.load(ordering: .acquiring) { serveOne(length) }
            busy.store(false, ordering: .releasing)
        }
    }

    /// Takes one request.
    ///
    /// - Returns: its bytes, in the request buffer.
    /// - Throws: ENODEV after an unmount, ECONNABORTED after an abort, EINTR when woken, ENOENT for a withdrawn request.
    func receive() throws(Errno) -> Int {
        let buffer = requestBuffer
        return try Errno.check(retryOnInterrupt: false) { read(descriptor.rawValue, buffer.baseAddress!, buffer.count) }
    }

    /// Hands the request in the buffer to `body`, which INIT's negotiation needs.
    func withRequest<Result>(_ length: Int, _ body: (borrowing Request) throws(Errno) -> Result) throws(Errno) -> Result
    {
        let bytes = UnsafeRawBufferPointer(requestBuffer)[..<length]
        let request = try Message.split(UnsafeRawBufferPointer(rebasing: bytes).bytes)
        return try body(request)
    }

    private func serveOne(_ length: Int) {
        let began = Clock.now()
        counters.countFetched()
        counters.countBatch()
        if session.configuration.fault == .neverCommit && counters.fetched == 40 { return }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(requestBuffer)[..<length])
        do throws(Errno) {
            let request = try Message.split(bytes.bytes)
            var reply = ReplyBuffer(replyBody)
            let outcome = session.dispatch(request, reply: &reply)
            carryOut(outcome, of: request, replied: reply.count, began: began)
        } catch {
            // The kernel sent what it should not: it has a unique id only if there was a header.
            session.log.error("malformed request of \(length) bytes on /dev/fuse")
            guard length >= MemoryLayout<fuse_in_header>.size else { return }
            let header = bytes.loadUnaligned(as: fuse_in_header.self)
            let opcode = Opcode(rawValue: header.opcode)
            // Nobody waits for the answer to one of these.
            if opcode.layout?.replies == false || opcode == .interrupt { return }
            send(unique: header.unique, error: error, count: 0)
        }
    }

    private func carryOut(_ outcome: Outcome, of request: borrowing Request, replied: Int, began: UInt64) {
        var failed = false
        do throws(Errno) {
            switch outcome {
            case .reply:
                send(unique: request.unique, error: nil, count: replied)
            case .failure(let error):
                throw error
            case .noReply:
                break
            case .read(let file, let offset, let count):
                let room = UnsafeMutableRawBufferPointer(rebasing: replyBody[..<min(count, replyCapacity)])
                let result = try BackingIO.read(file, offset: offset, into: room)
                send(unique: request.unique, error: nil, count: result.count)
            case .write(let file, let offset, let flags):
                let count = try request.payload.withUnsafeBytes { bytes throws(Errno) in
                    try BackingIO.write(file, offset: offset, bytes, flags: flags)
                }
                replyBody.storeBytes(of: fuse_write_out(size: UInt32(count), padding: 0), as: fuse_write_out.self)
                send(unique: request.unique, error: nil, count: MemoryLayout<fuse_write_out>.size)
            case .fsync(let file, let dataOnly):
                try BackingIO.synchronize(file, dataOnly: dataOnly)
                send(unique: request.unique, error: nil, count: 0)
            case .deferred(let work):
                do throws(Errno) {
                    return try postpone(work, opcode: request.opcode, unique: request.unique, began: began)
                } catch {
                    throw work.refuse()
                }
            }
        } catch {
            failed = true
            send(unique: request.unique, error: error, count: 0)
        }
        counters.countCommitted(request.opcode, nanoseconds: Clock.now() - began, failed: failed)
    }

    /// Sends a reply whose body, of `count` bytes, lies in the reply buffer.
    func send(unique: UInt64, error: Errno?, count: Int) {
        let start = replyBody.baseAddress! - DeviceChannel.replyHeaderSize
        let length = DeviceChannel.replyHeaderSize + (error == nil ? count : 0)
        start.storeBytes(
            of: Message.replyHeader(
                to: unique, error: error?.rawValue ?? 0, count: length - DeviceChannel.replyHeaderSize),
            as: fuse_out_header.self)
        do throws(Errno) {
            _ = try Errno.check { write(descriptor.rawValue, start, length) }
        } catch {
            sendFailed(error)
        }
    }

    /// Answers INIT.
    func sendInit(unique: UInt64, _ answer: cfuse_init_out) {
        replyBody.storeBytes(of: answer, as: cfuse_init_out.self)
        send(unique: unique, error: nil, count: MemoryLayout<cfuse_init_out>.size)
    }

    /// ENOENT: the request was withdrawn by a signal. ENODEV and ECONNABORTED: the connection has ended, which the next
    /// read reports. EPERM: the kernel answers so once the connection is dead. Anything else is a mistake of this program.
    private func sendFailed(_ error: Errno) {
        switch error {
        case .noSuchFileOrDirectory, .noSuchDevice, .connectionAbort, .notPermitted: break
        default: session.log.error("the kernel refused a reply: \(error.name)")
        }
    }

    /// Runs `work` on a thread of its own; its reply goes out from there, since write(2) on the device may.
    ///
    /// - Throws: EAGAIN if there is none.
    private func postpone(
        _ work: DeferredWork, opcode: Opcode, unique: UInt64, began: UInt64
    ) throws(Errno) {
        deferred.add(1, ordering: .acquiringAndReleasing)
        do throws(Errno) {
            try session.blockingWork.run { [self] in
                work.run(deferredReply(opcode: opcode, unique: unique, began: began))
            }
        } catch {
            deferred.subtract(1, ordering: .acquiringAndReleasing)
            throw error
        }
    }

    private func deferredReply(opcode: Opcode, unique: UInt64, began: UInt64) -> DeferredReply {
        DeferredReply(unique: unique) { [self] error, body in
            var message = [UInt8](repeating: 0, count: DeviceChannel.replyHeaderSize)
            let header = Message.replyHeader(
                to: unique, error: error?.rawValue ?? 0, count: error == nil ? body.count : 0)
            message.withUnsafeMutableBytes { $0.storeBytes(of: header, as: fuse_out_header.self) }
            if error == nil { message += body }
            do throws(Errno) {
                _ = try Errno.check { write(descriptor.rawValue, message, message.count) }
            } catch {
                sendFailed(error)
            }
            session.countDeferred(opcode, nanoseconds: Clock.now() - began, failed: error != nil)
            deferred.subtract(1, ordering: .acquiringAndReleasing)
        }
    }
}

/// A `/dev/fuse` descriptor that stays open as long as anyone may still reply on it.
public final class DeviceDescriptor: Sendable {
    private let descriptor: FileDescriptor
    private let owned: Bool

    /// The mount's own, which the connection closes.
    public init(of connection: Connection) {
        descriptor = connection.device
        owned = false
    }

    /// A clone with a processing queue of its own (`FUSE_DEV_IOC_CLONE`), so that threads do not meet in one.
    public init(cloning connection: Connection) throws(Errno) {
        let clone = try Errno.check { open("/dev/fuse", O_RDWR | O_CLOEXEC) }
        var source = UInt32(connection.device.rawValue)
        do throws(Errno) {
            _ = try Errno.check { clinux_ioctl(clone, CFUSE_DEV_IOC_CLONE, &source) }
        } catch {
            close(clone)
            throw error
        }
        descriptor = FileDescriptor(rawValue: clone)
        owned = true
    }

    deinit {
        if owned { try? descriptor.close() }
    }

    var rawValue: CInt { descriptor.rawValue }
}
