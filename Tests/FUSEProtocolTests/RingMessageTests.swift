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
        func request(
            _ opcode: UInt32, unique: UInt64 = 77, payloadSize: UInt32, flags: UInt64 = 0, offset: UInt32 = 0
        ) {
            var head = fuse_in_header()
            head.opcode = opcode
            head.unique = unique
            header.storeBytes(of: head, as: fuse_in_header.self)
            header.storeBytes(
                of: cfuse_uring_ent_in_out(
                    flags: flags, commit_id: 0xfedc_ba98_7654_3210, payload_sz: payloadSize, offset: offset, reserved: 0
                ),
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

    // MARK: Pools

    /// Four buffers of a page.
    private final class Pool {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * 4096, alignment: 4096)
        deinit { bytes.deallocate() }

        /// Where a request's payload is found: which buffer, and how many bytes of it.
        func take(_ memory: Memory) throws(Errno) -> (offset: Int, count: Int) {
            var message = memory.message
            try message.takeBuffer(of: bytes, size: 4096)
            return (message.payload.baseAddress! - bytes.baseAddress!, message.payload.count)
        }
    }

    @Test func aPayloadIsWhereTheKernelSays() throws {
        let memory = Memory(capacity: 64)
        let pool = Pool()
        memory.request(16, payloadSize: 100, offset: 8192)
        #expect(try pool.take(memory) == (8192, 4096))
        memory.request(15, payloadSize: 0, offset: 12_288)
        #expect(try pool.take(memory) == (12_288, 4096), "a READ has a place for its reply")
    }

    @Test(arguments: [18, 25, 32, 33, 43, 999] as [UInt32]) func whatHasNothingToCopyHasNoBuffer(opcode: UInt32) throws
    {
        let memory = Memory(capacity: 64)
        memory.request(opcode, payloadSize: 0)
        #expect(try Pool().take(memory).count == 0, "the buffer at 0 may be another's")
    }

    @Test(arguments: [1, 4095, 4097, 16_384, .max, .max - 4095] as [UInt32]) func noBufferLiesThere(offset: UInt32) {
        let memory = Memory(capacity: 64)
        memory.request(16, payloadSize: 100, offset: offset)
        #expect(throws: Errno.ioError) { _ = try Pool().take(memory) }
    }

    @Test func dataThatStaysInTheClientsPages() throws {
        let memory = Memory(capacity: 64)
        let pool = Pool()
        var message = memory.message
        memory.request(16, payloadSize: 1 << 20, flags: 1, offset: 4096)
        try message.takeBuffer(of: pool.bytes, size: 4096)
        #expect(message.isZeroCopied && message.payload.count == 4096, "a WRITE's reply has its place")
        func counts() throws(Errno) -> (payload: Int, pages: Int) {
            let request = try message.request()
            return (request.payload.byteCount, request.pagesCount)
        }
        #expect(try counts() == (0, 1 << 20))
        memory.request(15, payloadSize: 0, flags: 1)
        memory.header.storeBytes(
            of: fuse_read_in(fh: 1, offset: 0, size: 5000, read_flags: 0, lock_owner: 0, flags: 0, padding: 0),
            toByteOffset: 128, as: fuse_read_in.self)
        try message.takeBuffer(of: pool.bytes, size: 4096)
        #expect(message.isZeroCopied && message.payload.isEmpty)
        message.writeReply(to: 99, inPages: 5000)
        #expect(memory.reply.header.error == 0 && memory.reply.payloadSize == 5000)
        message.writeReply(to: 99, inPages: 5001)
        #expect(memory.reply.header.error == -5, "no more than was asked for")
        memory.request(16, payloadSize: 100, offset: 4096)
        try message.takeBuffer(of: pool.bytes, size: 4096)
        #expect(!message.isZeroCopied && message.payload.count == 4096)
    }

    /// Kernels before 7.46 leave the flags' bytes to nobody.
    @Test func anEntryWithAPayloadOfItsOwnHeedsNoFlags() throws {
        let memory = Memory(capacity: 8192)
        memory.request(16, payloadSize: 100, flags: .max)
        #expect(try parts(memory.message).payload == 100)
    }

    @Test func everyArgumentStructFitsIntoTheHeader() {
        for opcode in 0..<UInt32(Opcode.tableSize) { #expect(Opcode(rawValue: opcode).argumentSize <= 128) }
        #expect(Opcode(rawValue: .max).argumentSize == 0)
    }
}
