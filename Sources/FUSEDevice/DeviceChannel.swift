import CFUSE
import CLinux
import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
import Logging
import Synchronization
package import SystemPackage

/// Takes requests from a `/dev/fuse` descriptor and answers them there, one at a time: a thread of the legacy transport,
/// or the side reader of a ring.
///
/// The buffers are laid out so that a WRITE's data and a READ's reply begin on a page: backing files opened with O_DIRECT
/// demand it.
package final class DeviceChannel: @unchecked Sendable {
    private let session: Session
    private let descriptor: DeviceDescriptor
    /// What this channel's thread has counted.
    package let counters = Counters(channel: .device)
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
    package init(_ session: Session, descriptor: DeviceDescriptor, limits: Limits) throws(Errno) {
        self.session = session
        self.descriptor = descriptor
        replyCapacity = limits.payloadSize
        regionSize = limits.payloadSize + 2 * pageSize
        memory = try BufferMemory(byteCount: 2 * regionSize)
    }

    /// Begins so far before the region's second page that the payload of a WRITE begins with that page.
    private var requestBuffer: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(
            start: memory.bytes.baseAddress! + pageSize - Message.writeHeaderSize,
            count: regionSize - pageSize + Message.writeHeaderSize)
    }

    /// The reply's body; its header lies right before it.
    var replyBody: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(
            start: memory.bytes.baseAddress! + regionSize + pageSize, count: replyCapacity)
    }

    /// Requests taken and not yet answered.
    package var requestsInHand: Int {
        (busy.load(ordering: .acquiring) ? 1 : 0) + deferred.load(ordering: .acquiring)
    }

    /// Leaves new requests unanswered.
    package func drain() { draining.store(true, ordering: .releasing) }

    /// Serves until the connection ends, or `stop` says so when the thread is woken.
    package func serve(until stop: () -> Bool) {
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
    private func receive() throws(Errno) -> Int {
        let buffer = unsafe requestBuffer
        return try Errno.check(retryOnInterrupt: false) {
            unsafe clinux_read(descriptor.rawValue, buffer.baseAddress!, buffer.count)
        }
    }

    private func serveOne(_ length: Int) {
        let began = MonotonicClock.now()
        counters.countFetched()
        counters.countBatch()
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(requestBuffer)[..<length])
        do throws(Errno) {
            let request = try unsafe Message.split(bytes.bytes)
            var reply = unsafe ReplyBuffer(replyBody)
            let outcome = session.dispatch(request, reply: &reply)
            // It lies in this channel's buffer, which nobody writes to before the next request is taken.
            let payload = unsafe request.payload.withUnsafeBytes { unsafe $0 }
            let pending = unsafe Pending(
                opcode: request.opcode, unique: request.unique, began: began, payload: payload)
            carryOut(outcome, of: pending, replied: reply.count)
        } catch {
            // The kernel sent what it should not: it has a unique id only if there was a header.
            session.log.error("malformed request of \(length) bytes on /dev/fuse")
            guard length >= MemoryLayout<fuse_in_header>.size else { return }
            let header = unsafe bytes.loadUnaligned(as: fuse_in_header.self)
            let opcode = Opcode(rawValue: header.opcode)
            // Nobody waits for the answer to one of these.
            if opcode.layout?.replies == false || opcode == .interrupt { return }
            send(unique: header.unique, error: error, count: 0)
        }
    }

    /// Sends a reply whose body, of `count` bytes, lies in the reply buffer.
    func send(unique: UInt64, error: Errno?, count: Int) {
        let start = unsafe replyBody.baseAddress! - DeviceChannel.replyHeaderSize
        let length = DeviceChannel.replyHeaderSize + (error == nil ? count : 0)
        unsafe start.storeBytes(
            of: Message.replyHeader(
                to: unique, error: error?.rawValue ?? 0, count: length - DeviceChannel.replyHeaderSize),
            as: fuse_out_header.self)
        do throws(Errno) {
            _ = try Errno.check { unsafe clinux_write(descriptor.rawValue, start, length) }
        } catch {
            sendFailed(error)
        }
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
    func postpone(_ work: DeferredWork, opcode: Opcode, unique: UInt64, began: UInt64) throws(Errno) {
        deferred.add(1, ordering: .acquiringAndReleasing)
        do throws(Errno) {
            try session.blockingWork.run(blocks: work.blocks) { [self] in
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
            unsafe message.withUnsafeMutableBytes { unsafe $0.storeBytes(of: header, as: fuse_out_header.self) }
            if error == nil { message += body }
            do throws(Errno) {
                _ = try Errno.check { unsafe clinux_write(descriptor.rawValue, message, message.count) }
            } catch {
                sendFailed(error)
            }
            session.countDeferred(opcode, nanoseconds: MonotonicClock.now() - began, failed: error != nil)
            deferred.subtract(1, ordering: .acquiringAndReleasing)
        }
    }
}
