import CFUSE
import SystemPackage
import Testing

@testable import FUSEProtocol

/// The decoder alone: errors for what is malformed, never a trap.
@Suite struct MessageTests {
    private func message(_ opcode: UInt32, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
        var header = fuse_in_header()
        header.len = UInt32(length ?? MemoryLayout<fuse_in_header>.size + body.count)
        header.opcode = opcode
        header.unique = 0xfedc_ba98_7654_3210
        return withUnsafeBytes(of: header) { Array($0) } + body
    }

    /// Splits a message and says how long its parts are.
    private func split(_ bytes: [UInt8]) throws(Errno) -> (arguments: Int, payload: Int, unique: UInt64) {
        let request = try Message.split(bytes.span.bytes)
        return (request.arguments.byteCount, request.payload.byteCount, request.unique)
    }

    @Test func partsOfAWrite() throws {
        let parts = try split(message(16, [UInt8](repeating: 1, count: 40 + 1000)))
        #expect(parts.arguments == 40 && parts.payload == 1000)
        #expect(parts.unique == 0xfedc_ba98_7654_3210)
    }

    @Test(arguments: 0..<40) func shorterThanAHeader(length: Int) {
        #expect(throws: Errno.ioError) { try split(Array(message(1, []).prefix(length))) }
    }

    @Test(arguments: [0, 1, 39, 43, 1000, Int(UInt32.max)]) func lengthsThatLie(length: Int) {
        #expect(throws: Errno.ioError) { try split(message(3, [1, 2], length: length)) }
    }

    @Test func bytesBehindTheMessageAreLeftOut() throws {
        let parts = try split(message(1, Array("name\0rubbish".utf8), length: 45))
        #expect(parts.payload == 5)
    }

    @Test func argumentsThatAreCutOff() {
        for size in 0..<40 {
            #expect(throws: Errno.ioError) { try split(message(16, [UInt8](repeating: 0, count: size))) }
        }
    }

    @Test func unknownOpcodesArePayloadOnly() throws {
        for opcode: UInt32 in [0, 7, 19, 1000, .max] {
            let parts = try split(message(opcode, [1, 2, 3]))
            #expect(parts.arguments == 0 && parts.payload == 3)
        }
    }

    @Test func namesWithAndWithoutAnEnd() throws {
        let bytes: [UInt8] = Array("first\0second\0third".utf8)
        let span = bytes.span.bytes
        let first = try Name(in: span)
        #expect(first.string == "first" && first.byteCount == 5)
        let second = try Name(in: span.extracting(droppingFirst: 6))
        #expect(second.string == "second")
        #expect(throws: Errno.invalidArgument) { try check(Array("third".utf8)) }
        #expect(throws: Errno.invalidArgument) { try check([]) }
    }

    private func check(_ bytes: [UInt8]) throws(Errno) {
        _ = try Name(in: bytes.span.bytes).byteCount
    }

    @Test func namesThatAreNoEntries() throws {
        for (text, isEntry) in [
            ("", false), (".", false), ("..", false), ("a/b", false), ("/", false), ("...", true), (".a", true),
            ("\u{1}", true),
        ] {
            let bytes = Array(text.utf8) + [0]
            #expect(try Name(in: bytes.span.bytes).isEntry == isEntry, "\(text)")
        }
    }

    @Test func everyBytePattern() {
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            for _ in 0..<Int(state >> 40 % 100) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 33))
            }
            if bytes.count > 7 {
                bytes[0] = UInt8(bytes.count)
                for index in 1..<4 { bytes[index] = 0 }
                bytes[4] = UInt8(state >> 50 & 63)
                for index in 5..<8 { bytes[index] = 0 }
            }
            // Either parts within the message, or an error.
            if let parts = try? split(bytes) { #expect(parts.arguments + parts.payload <= bytes.count - 40) }
        }
    }
}
