import CFUSE
import SystemPackage
import Testing

@testable import FUSEProtocol

/// The codec of a ring's entry: no length on the wire is beyond the payload, whoever says it.
@Suite struct RingMessageTests {
    /// An entry of `capacity` bytes, between bytes that nobody may touch.
    private final class Memory {
        let header: UnsafeMutableRawPointer
        let whole: UnsafeMutableRawBufferPointer
        let message: RingMessage
        private static let guardSize = 64

        init(capacity: Int) {
            header = .allocate(byteCount: RingMessage.headerSize, alignment: 8)
            header.initializeMemory(as: UInt8.self, repeating: 0, count: RingMessage.headerSize)
            whole = .allocate(byteCount: capacity + 2 * Memory.guardSize, alignment: 8)
            whole.initializeMemory(as: UInt8.self, repeating: 0xa5)
            let inner = Memory.guardSize..<Memory.guardSize + capacity
            message = RingMessage(header: header, payload: UnsafeMutableRawBufferPointer(rebasing: whole[inner]))
        }

        deinit {
            header.deallocate()
            whole.deallocate()
        }

        var guardsAreWhole: Bool {
            (whole.prefix(Memory.guardSize) + whole.suffix(Memory.guardSize)).allSatisfy { $0 == 0xa5 }
        }

        /// As the kernel fills it in.
        func request(_ opcode: UInt32, unique: UInt64 = 77, payloadSize: UInt32) {
            var head = fuse_in_header()
            head.opcode = opcode
            head.unique = unique
            header.storeBytes(of: head, as: fuse_in_header.self)
            header.storeBytes(
                of: cfuse_uring_ent_in_out(
                    flags: 0, commit_id: 0xfedc_ba98_7654_3210, payload_sz: payloadSize, padding: 0, reserved: 0),
                toByteOffset: 256, as: cfuse_uring_ent_in_out.self)
        }

        var reply: (header: fuse_out_header, payloadSize: UInt32) {
            (
                header.load(as: fuse_out_header.self),
                header.load(fromByteOffset: 256, as: cfuse_uring_ent_in_out.self).payload_sz
            )
        }
    }

    private func parts(_ message: RingMessage) throws(Errno) -> (arguments: Int, payload: Int, unique: UInt64) {
        let request = try message.request()
        return (request.arguments.byteCount, request.payload.byteCount, request.unique)
    }

    @Test func partsOfARequest() throws {
        let memory = Memory(capacity: 8192)
        memory.request(16, unique: .max - 1, payloadSize: 100)
        #expect(try parts(memory.message) == (MemoryLayout<fuse_write_in>.size, 100, .max - 1))
        #expect(memory.message.commitID == 0xfedc_ba98_7654_3210)
        memory.request(16, payloadSize: 8192)
        #expect(try parts(memory.message).payload == 8192)
        memory.request(999, payloadSize: 0)
        #expect(try parts(memory.message) == (0, 0, 77))
    }

    @Test func theArgumentsLieInTheirPlace() throws {
        let memory = Memory(capacity: 64)
        memory.request(3, payloadSize: 0)
        memory.header.storeBytes(
            of: fuse_getattr_in(getattr_flags: 5, dummy: 6, fh: 0x1234_5678_9abc), toByteOffset: 128,
            as: fuse_getattr_in.self)
        let request = try memory.message.request()
        #expect(try request.argument(fuse_getattr_in.self).fh == 0x1234_5678_9abc)
    }

    @Test(arguments: [8193, 65_536, 1 << 31, .max] as [UInt32]) func aRequestThatClaimsMoreThanThereIs(size: UInt32) {
        let memory = Memory(capacity: 8192)
        memory.request(21, payloadSize: size)
        #expect(throws: Errno.ioError) { try parts(memory.message) }
        #expect(memory.message.requestHeader.unique == 77, "it can still be answered")
    }

    @Test func replies() {
        let memory = Memory(capacity: 8192)
        for count in [0, 1, 8191, 8192] {
            memory.message.writeReply(to: 99, count: count)
            let (header, size) = memory.reply
            #expect(header.unique == 99 && header.error == 0 && header.len == UInt32(16 + count))
            #expect(size == UInt32(count))
        }
        memory.message.writeReply(to: 99, error: .outOfRange)
        #expect(memory.reply.header.error == -34 && memory.reply.header.len == 16 && memory.reply.payloadSize == 0)
    }

    @Test(arguments: [8193, 65_536, 1 << 40, .max, -1]) func aReplyThatIsLongerThanThePayload(count: Int) {
        let memory = Memory(capacity: 8192)
        memory.message.writeReply(to: 99, count: count)
        #expect(memory.reply.header.error == -5 && memory.reply.payloadSize == 0)
    }

    @Test func bodiesFromElsewhere() throws {
        let memory = Memory(capacity: 8192)
        for count in [0, 1, 8192] {
            let body = [UInt8](repeating: 1, count: count)
            #expect(try memory.message.write(body: body.span.bytes) == count)
        }
        for count in [8193, 65_536] {
            let body = [UInt8](repeating: 2, count: count)
            #expect(throws: Errno.ioError) { _ = try memory.message.write(body: body.span.bytes) }
        }
        #expect(memory.message.payload.allSatisfy { $0 == 1 }, "nothing of a body that does not fit is written")
        #expect(memory.guardsAreWhole)
    }

    @Test func everyArgumentStructFitsIntoTheHeader() {
        for opcode in 0..<UInt32(Opcode.tableSize) { #expect(Opcode(rawValue: opcode).argumentSize <= 128) }
        #expect(Opcode(rawValue: .max).argumentSize == 0)
    }
}
