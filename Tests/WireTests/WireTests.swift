import CFUSE
import FUSEProtocol
import Glibc
import LoopbackFS
import SystemPackage
import Testing

/// What a real kernel seldom sends, sent to the transport and the filesystem: an answer or silence, and the next request as usual.
@Suite(.serialized) struct WireTests {
    @Test func unknownOpcodesAreAnswered() throws {
        let kernel = try ScriptedKernel()
        for opcode: UInt32 in [0, 7, 19, 54, 200, 4095, 4096, .max] {
            #expect(try kernel.ask(opcode, [1, 2, 3, 4])?.error == .noFunction, "opcode \(opcode)")
        }
        #expect(try kernel.isAlive())
    }

    /// What the kernel may do is the filesystem's to promise: nothing is added to it but what the protocol needs.
    @Test func promisesAreTheFileSystems() throws {
        let usual = try ScriptedKernel().agreed
        #expect(usual.isSuperset(of: [.autoInvalidateData, .dontMask, .atomicOpenTruncate, .handleKillPrivilegesV2]))
        #expect(usual.isDisjoint(with: [.writebackCache, .passthrough]))
        #expect(try ScriptedKernel { $0.cache = .always }.agreed == usual.subtracting(.autoInvalidateData))
        #expect(try ScriptedKernel { $0.cache = .never }.agreed == usual.subtracting(.cacheSymlinks))
        let writeback = try ScriptedKernel {
            $0.writeback = true
            $0.passthrough = true
        }
        #expect(writeback.agreed == usual.union(.writebackCache))
        for change: (inout LoopbackFS.Configuration) -> Void in [{ $0.directIO = true }, { $0.cache = .never }] {
            let kernel = try ScriptedKernel {
                $0.writeback = true
                change(&$0)
            }
            #expect(!kernel.agreed.contains(.writebackCache))
        }
    }

    @Test func uniqueIDsHave64Bits() throws {
        let kernel = try ScriptedKernel()
        for unique: UInt64 in [1, 1 << 32, (1 << 32) + 2, 1 << 63, .max, .max - 1, 0x8000_0000_0000_0001] {
            try kernel.send(
                ScriptedKernel.message(opcode: 1, unique: unique, node: 1, arguments: Array("f".utf8) + [0]))
            let reply = kernel.receive()
            #expect(reply?.unique == unique)
            #expect(reply?.error == nil)
        }
    }

    @Test func interruptsBeforeAndAfterTheirRequest() throws {
        let kernel = try ScriptedKernel()
        func interrupt(_ unique: UInt64) throws {
            try kernel.send(
                ScriptedKernel.message(
                    opcode: 36, unique: unique | 1, node: 0, arguments: bytes(of: fuse_interrupt_in(unique: unique))))
        }
        try interrupt(1000)
        try kernel.send(ScriptedKernel.message(opcode: 1, unique: 1000, node: 1, arguments: Array("f".utf8) + [0]))
        let reply = kernel.receive()
        #expect(reply?.unique == 1000 && (reply?.error == nil || reply?.error == .interrupted))
        try interrupt(1000)
        for unique: UInt64 in 2000..<3000 { try interrupt(unique * 2) }
        #expect(kernel.isSilent)
        #expect(try kernel.isAlive())
    }

    @Test func waitingForALockIsInterrupted() throws {
        let kernel = try ScriptedKernel()
        let lookup = try #require(try kernel.ask(1, Array("f".utf8) + [0])?.decode(fuse_entry_out.self))
        let opened = try #require(
            try kernel.ask(14, node: lookup.nodeid, bytes(of: fuse_open_in(flags: UInt32(O_RDWR), open_flags: 0)))?
                .decode(cfuse_open_out.self))
        func lock(owner: UInt64) -> [UInt8] {
            bytes(
                of: fuse_lk_in(
                    fh: opened.fh, owner: owner,
                    lk: fuse_file_lock(start: 0, end: UInt64(Int64.max), type: UInt32(F_WRLCK), pid: UInt32(getpid())),
                    lk_flags: 0, padding: 0))
        }
        #expect(try kernel.ask(32, node: lookup.nodeid, lock(owner: 1))?.error == nil)
        try kernel.send(
            ScriptedKernel.message(opcode: 33, unique: 5000, node: lookup.nodeid, arguments: lock(owner: 2)))
        #expect(kernel.isSilent, "the second owner has to wait")
        #expect(try kernel.isAlive(), "others need not")
        try kernel.send(
            ScriptedKernel.message(
                opcode: 36, unique: 5001, node: 0, arguments: bytes(of: fuse_interrupt_in(unique: 5000))))
        let reply = kernel.receive()
        #expect(reply?.unique == 5000 && reply?.error == .interrupted)
        #expect(try kernel.isAlive())
    }

    @Test func forgetsInBulk() throws {
        let kernel = try ScriptedKernel()
        let entry = try #require(try kernel.ask(1, Array("f".utf8) + [0])?.decode(fuse_entry_out.self))
        func batch(_ promised: UInt32, _ entries: [fuse_forget_one]) -> [UInt8] {
            bytes(of: fuse_batch_forget_in(count: promised, dummy: 0)) + entries.flatMap { bytes(of: $0) }
        }
        let many = (0..<10_000).map { fuse_forget_one(nodeid: 1_000_000 + UInt64($0), nlookup: 3) }
        try kernel.send(ScriptedKernel.message(opcode: 42, unique: 2, node: 0, arguments: batch(10_000, many)))
        // More than the message has, more than there were, and of the root.
        try kernel.send(
            ScriptedKernel.message(opcode: 42, unique: 2, node: 0, arguments: batch(.max, Array(many.prefix(3)))))
        try kernel.send(
            ScriptedKernel.message(
                opcode: 42, unique: 2, node: 0,
                arguments: batch(
                    2,
                    [
                        fuse_forget_one(nodeid: entry.nodeid, nlookup: .max), fuse_forget_one(nodeid: 1, nlookup: .max),
                    ])))
        try kernel.send(
            ScriptedKernel.message(
                opcode: 2, unique: 2, node: entry.nodeid, arguments: bytes(of: fuse_forget_in(nlookup: 7))))
        try kernel.send(ScriptedKernel.message(opcode: 2, unique: 2, node: entry.nodeid))
        #expect(kernel.isSilent)
        #expect(try kernel.isAlive())
    }

    @Test func requestsAtTheLimits() throws {
        let kernel = try ScriptedKernel()
        let entry = try #require(try kernel.ask(1, Array("f".utf8) + [0])?.decode(fuse_entry_out.self))
        let file = try #require(
            try kernel.ask(14, node: entry.nodeid, bytes(of: fuse_open_in(flags: UInt32(O_RDWR), open_flags: 0)))?
                .decode(cfuse_open_out.self))
        func write(_ size: UInt32, _ data: Int, offset: UInt64 = 0) -> [UInt8] {
            bytes(
                of: fuse_write_in(
                    fh: file.fh, offset: offset, size: size, write_flags: 0, lock_owner: 0, flags: UInt32(O_RDWR),
                    padding: 0))
                + [UInt8](repeating: 7, count: data)
        }
        #expect(
            try kernel.ask(16, node: entry.nodeid, write(1 << 20, 1 << 20))?.decode(fuse_write_out.self)?.size == 1
                << 20)
        #expect(try kernel.ask(16, node: entry.nodeid, write(0, 0))?.error == nil)
        #expect(try kernel.ask(16, node: entry.nodeid, write(100, 10))?.error != nil, "less data than it says")
        #expect(try kernel.ask(16, node: entry.nodeid, write(10, 10, offset: .max))?.error != nil)
        func read(_ size: UInt32, offset: UInt64 = 0) -> [UInt8] {
            bytes(
                of: fuse_read_in(
                    fh: file.fh, offset: offset, size: size, read_flags: 0, lock_owner: 0, flags: 0, padding: 0))
        }
        #expect(try kernel.ask(15, node: entry.nodeid, read(1 << 20))?.body.count == 1 << 20)
        #expect(
            try kernel.ask(15, node: entry.nodeid, read(.max))?.body.count ?? 0 <= 1 << 20,
            "never more than there is room for")
        #expect(try kernel.ask(15, node: entry.nodeid, read(10, offset: .max))?.error != nil)
        #expect(try kernel.ask(15, node: entry.nodeid, read(0))?.body == [])
        #expect(try kernel.ask(8, [UInt8](repeating: 0x61, count: 600_000) + [0])?.error != nil)
        let end = open("\(kernel.source)/f", O_WRONLY | O_TRUNC)
        Glibc.write(end, "0123456789", 10)
        close(end)
    }

    @Test func truncatedMessages() throws {
        let kernel = try ScriptedKernel()
        let whole = ScriptedKernel.message(
            opcode: 27, unique: 77, node: 1, arguments: bytes(of: fuse_open_in(flags: 0, open_flags: 0)))
        for length in 1..<40 { try kernel.send(Array(whole.prefix(length))) }
        #expect(kernel.isSilent, "without a header there is no id to answer")
        for length in 40..<48 {
            var cut = Array(whole.prefix(length))
            cut[0] = UInt8(length)
            try kernel.send(cut)
            let reply = kernel.receive()
            #expect(reply?.unique == 77 && reply?.error != nil, "\(length) bytes")
        }
        // Headers that lie about the length.
        for length: UInt32 in [0, 1, 39, 49, 4096, .max] {
            try kernel.send(
                ScriptedKernel.message(opcode: 1, unique: 99, node: 1, arguments: Array("f".utf8) + [0], length: length)
            )
            #expect(kernel.receive()?.error != nil, "length \(length)")
        }
        #expect(try kernel.isAlive())
    }

    @Test(arguments: Array(UInt32(1)...53)) func emptyArgumentsOfEveryOpcode(opcode: UInt32) throws {
        let kernel = try ScriptedKernel()
        for node: UInt64 in [0, 1, 99, .max] {
            try kernel.send(ScriptedKernel.message(opcode: opcode, unique: 500, node: node))
            // FORGET, INTERRUPT, NOTIFY_REPLY and BATCH_FORGET are never answered.
            if ![2, 36, 41, 42].contains(opcode) { #expect(kernel.receive()?.unique == 500, "node \(node)") }
        }
        #expect(try kernel.isAlive())
    }

    @Test func namesThatAreNone() throws {
        let kernel = try ScriptedKernel()
        for name: [UInt8] in [
            [], Array("f".utf8), Array("../f\0".utf8), Array("a/b\0".utf8), Array("/etc/passwd\0".utf8), [0],
        ] {
            #expect(try kernel.ask(1, name)?.error != nil, "lookup of \(name)")
            #expect(try kernel.ask(10, name)?.error != nil, "unlink of \(name)")
        }
        let rename = bytes(of: fuse_rename2_in(newdir: 1, flags: 0, padding: 0))
        #expect(try kernel.ask(45, rename + Array("f\0../g\0".utf8))?.error != nil)
        #expect(try kernel.ask(45, rename + Array("f\0".utf8))?.error != nil)
        #expect(try kernel.ask(6, Array("s\0".utf8))?.error != nil, "a symbolic link without a target")
        let long = [UInt8](repeating: 0x61, count: 5000) + [0]
        #expect(try kernel.ask(1, long)?.error == .fileNameTooLong)
        #expect(try kernel.isAlive())
    }

    @Test func unknownNodesAndHandles() throws {
        let kernel = try ScriptedKernel()
        let entry = try #require(try kernel.ask(1, Array("f".utf8) + [0])?.decode(fuse_entry_out.self))
        for handle: UInt64 in [0, 1, 12345, .max] {
            let read = fuse_read_in(fh: handle, offset: 0, size: 10, read_flags: 0, lock_owner: 0, flags: 0, padding: 0)
            #expect(try kernel.ask(15, node: entry.nodeid, bytes(of: read))?.error != nil)
            let release = fuse_release_in(fh: handle, flags: 0, release_flags: 0, lock_owner: 0)
            _ = try #require(try kernel.ask(18, node: entry.nodeid, bytes(of: release)))
        }
        for node: UInt64 in [0, 2, 0x1234_5678_9abc, .max] where node != entry.nodeid {
            #expect(
                try kernel.ask(3, node: node, bytes(of: fuse_getattr_in(getattr_flags: 0, dummy: 0, fh: 0)))?.error
                    != nil)
        }
        #expect(try kernel.isAlive())
    }

    @Test func extensionsThatLie() throws {
        let kernel = try ScriptedKernel()
        let create = bytes(of: fuse_mkdir_in(mode: 0o755, umask: 0)) + Array("d\0".utf8)
        for (number, extensions): (Int, [UInt8]) in [
            (1, [255, 255, 255, 255, 32, 0, 0, 0]), (2, [8, 0, 0, 0, 32, 0, 0, 0]), (3, [0, 0, 0, 0, 0, 0, 0, 0]),
            (200, []), (0xffff, [16, 0, 0, 0, 32, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0]),
        ] {
            try kernel.send(
                ScriptedKernel.message(
                    opcode: 9, unique: 600, node: 1, arguments: create + extensions, extensions: UInt16(number)))
            #expect(kernel.receive()?.unique == 600)
            rmdir("\(kernel.source)/d")
        }
        #expect(try kernel.isAlive())
    }

    @Test func manyRequestsAreAnsweredOnceEach() throws {
        let kernel = try ScriptedKernel()
        var waiting: Set<UInt64> = []
        for number: UInt64 in 0..<5000 {
            let unique = (number << 33) | 2
            waiting.insert(unique)
            try kernel.send(
                ScriptedKernel.message(opcode: 1, unique: unique, node: 1, arguments: Array("f".utf8) + [0]))
            while waiting.count > 50, let reply = kernel.receive() { #expect(waiting.remove(reply.unique) != nil) }
        }
        while !waiting.isEmpty, let reply = kernel.receive() { #expect(waiting.remove(reply.unique) != nil) }
        #expect(waiting.isEmpty)
        #expect(kernel.isSilent)
    }

    @Test func randomMessages() throws {
        let kernel = try ScriptedKernel()
        var waiting: Set<UInt64> = []
        var state: UInt64 = 42
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 16
        }
        for number: UInt64 in 0..<20_000 {
            let arguments = (0..<Int(next() % 120)).map { _ in next() % 3 == 0 ? 0 : UInt8(truncatingIfNeeded: next()) }
            let opcode = UInt32(next() % 56)
            // DESTROY ends a session, a lock may wait for ever, and NOTIFY_REPLY answers what nobody asked.
            if [38, 33, 41].contains(opcode) { continue }
            let node = next() % 3 == 0 ? next() % 100 : 1
            try kernel.send(
                ScriptedKernel.message(opcode: opcode, unique: number << 8 | 2, node: node, arguments: arguments))
            if [2, 36, 42].contains(opcode) { continue }
            // What is done on another thread is answered later.
            waiting.insert(number << 8 | 2)
            let reply = try #require(kernel.receive(), "no reply to opcode \(opcode) with \(arguments)")
            #expect(waiting.remove(reply.unique) != nil)
        }
        while !waiting.isEmpty, let reply = kernel.receive() { #expect(waiting.remove(reply.unique) != nil) }
        #expect(waiting.isEmpty)
        #expect(kernel.isSilent)
        _ = chmod(kernel.source, 0o755)
        let list = popen("rm -rf \(kernel.source)", "r")
        pclose(list)
    }
}
