import CFUSE
import FUSE
import FUSEProtocol
import Glibc
import LinuxSystem
import Testing

/// Answers in all ways that there are, chosen by the node.
private final class AnsweringFS: FileSystem {
    let started = Lock<Notifier?>(nil)
    let entryTimeout = Duration.milliseconds(2_500)
    static let names: [DirectoryEntry] = (0..<100).map {
        .init(FileName("entry-\($0)"), NodeID(rawValue: $0 + 2), .file)
    }

    func start(_ notifier: Notifier) { started.withLock { $0 = notifier } }

    func lookup(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Entry> {
        var attributes = Attributes(.file, permissions: 0o640, size: 513, user: request.user, group: request.group)
        attributes.modified = Timestamp(seconds: -1, nanoseconds: 7)
        let entry = Entry(NodeID(rawValue: 9), attributes, generation: 3)
        return name == "later" ? .async { entry } : .now(entry)
    }

    func getattr(_ node: NodeID, handle: HandleID?, _ request: borrowing Request) throws(Errno) -> Reply<Attributes> {
        switch node.rawValue {
        case 1: .async { throw Errno.diskQuotaExceeded }
        case 2: .async { throw CancellationError() }
        case 3:
            .async {
                struct Other: Error {}
                throw Other()
            }
        case 4: .blocking { () throws(Errno) in Attributes(.directory, permissions: 0o700) }
        case 5: .blocking { () throws(Errno) in throw .ioError }
        // It ends when it is cancelled.
        case 6:
            .async {
                try await Task.sleep(for: .seconds(60))
                return Attributes(.file, permissions: 0)
            }
        // It does not even then.
        default:
            .async {
                await withCheckedContinuation { (_: CheckedContinuation<Void, Never>) in }
                return Attributes(.file, permissions: 0)
            }
        }
    }

    func read(
        _ node: NodeID, handle: HandleID, at offset: Int64, count: Int, into buffer: inout ReplyBuffer,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReadResult> {
        let text = Array("0123456789".utf8)
        switch node.rawValue {
        case 1:
            try buffer.append(text.span.bytes.extracting(first: count))
            return .written
        case 2: return .now(.bytes(text))
        default: return .async { .bytes(text) }
        }
    }

    func write(
        _ node: NodeID, handle: HandleID, at offset: Int64, _ data: RawSpan, _ request: borrowing Request
    ) throws(Errno) -> Reply<WriteResult> {
        let count = data.byteCount
        return node == .root ? .now(.count(count)) : .async { .count(count) }
    }

    func readdir(
        _ node: NodeID, handle: HandleID, from position: UInt64, into list: inout DirectoryList,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReaddirResult> {
        node == .root ? .entries(AnsweringFS.names) : .async { .entries(AnsweringFS.names) }
    }

    func getxattr(_ name: Name, of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[UInt8]> {
        .now([1, 2, 3])
    }

    func listxattr(of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[FileName]> {
        .async { ["user.a", "user.b"] }
    }
}

struct ReplyTests {
    private let fileSystem = AnsweringFS()
    private let asked: Asked<AnsweringFS>

    init() { asked = Asked(fileSystem) }

    @Test func anEntrySaysAllThatIsKnown() async throws {
        for answer in [asked.ask(.lookup, name("now")), await asked.askAndWait(.lookup, name("later"))] {
            let entry = try #require(answer.decode(fuse_entry_out.self))
            #expect(entry.nodeid == 9)
            #expect(entry.generation == 3)
            #expect(entry.entry_valid == 2 && entry.entry_valid_nsec == 500_000_000)
            #expect(entry.attr_valid == 1 && entry.attr_valid_nsec == 0)
            #expect(entry.attr.ino == 9 && entry.attr.size == 513 && entry.attr.blocks == 2)
            #expect(entry.attr.mode == S_IFREG | 0o640 && entry.attr.nlink == 1)
            #expect(entry.attr.uid == 10 && entry.attr.gid == 20)
            #expect(Int64(bitPattern: entry.attr.mtime) == -1 && entry.attr.mtimensec == 7)
        }
    }

    @Test func errorsOfTasksAreErrnos() async {
        let body = bytes(of: fuse_getattr_in())
        #expect(await asked.askAndWait(.getattr, node: 1, body).errno == .diskQuotaExceeded)
        #expect(await asked.askAndWait(.getattr, node: 2, body).errno == .interrupted)
        #expect(await asked.askAndWait(.getattr, node: 3, body).errno == .ioError)
    }

    @Test func blockingWorkAnswers() async {
        let body = bytes(of: fuse_getattr_in())
        let answer = await asked.askAndWait(.getattr, node: 4, body).decode(fuse_attr_out.self)
        #expect(answer?.attr.mode == S_IFDIR | 0o700)
        #expect(answer?.attr.ino == 4)
        #expect(await asked.askAndWait(.getattr, node: 5, body).errno == .ioError)
    }

    @Test func anInterruptCancelsTheTaskOfItsRequest() async throws {
        let body = bytes(of: fuse_getattr_in())
        guard case .deferred(let first) = asked.ask(.getattr, node: 6, body, unique: 10),
            case .deferred(let second) = asked.ask(.getattr, node: 6, body, unique: 12)
        else { throw Errno.ioError }
        let interrupted = Asked<AnsweringFS>.LateReply(first, unique: 10)
        let other = Asked<AnsweringFS>.LateReply(second, unique: 12)
        _ = asked.ask(.interrupt, bytes(of: fuse_interrupt_in(unique: 10)), unique: 10)
        #expect((await interrupted.wait())?.errno == .interrupted)
        #expect((await other.wait(0.1)) == nil)
        asked.handler.interruptWaiters()
        #expect((await other.wait())?.errno == .interrupted)
    }

    @Test func aStopWaitsForNoTask() async throws {
        let body = bytes(of: fuse_getattr_in())
        guard case .deferred(let work) = asked.ask(.getattr, node: 7, body) else { throw Errno.ioError }
        let reply = Asked<AnsweringFS>.LateReply(work, unique: 2)
        #expect((await reply.wait(0.1)) == nil)
        asked.handler.interruptWaiters()
        #expect((await reply.wait(0))?.errno == .interrupted)
        // Too late to begin.
        #expect(await asked.askAndWait(.getattr, node: 6, body).errno == .interrupted)
    }

    @Test func aReadIsNoLongerThanAskedFor() async {
        for node in UInt64(1)...3 {
            for size in [UInt32(4), 100] {
                let body = bytes(
                    of: fuse_read_in(fh: 0, offset: 0, size: size, read_flags: 0, lock_owner: 0, flags: 0, padding: 0))
                let answer =
                    node == 3 ? await asked.askAndWait(.read, node: node, body) : asked.ask(.read, node: node, body)
                #expect(answer.bytes == Array("0123456789".utf8.prefix(Int(size))), "node \(node)")
            }
        }
    }

    @Test func aWriteSaysHowMuch() async {
        let body =
            bytes(
                of: fuse_write_in(
                    fh: 0, offset: 0, size: 3, write_flags: 0, lock_owner: 0, flags: 0, padding: 0)) + [1, 2, 3]
        #expect(asked.ask(.write, body).decode(fuse_write_out.self)?.size == 3)
        #expect(await asked.askAndWait(.write, node: 2, body).decode(fuse_write_out.self)?.size == 3)
    }

    /// The names of a whole listing, READDIR by READDIR.
    private func list(node: UInt64, plus: Bool) async -> [String] {
        var names: [String] = []
        var position: UInt64 = 0
        while true {
            let body = bytes(
                of: fuse_read_in(
                    fh: 0, offset: position, size: 600, read_flags: 0, lock_owner: 0, flags: 0, padding: 0))
            let opcode = plus ? Opcode.readdirplus : .readdir
            let answer =
                node == 1 ? asked.ask(opcode, node: node, body) : await asked.askAndWait(opcode, node: node, body)
            guard let bytes = answer.bytes, !bytes.isEmpty else { return names }
            #expect(bytes.count <= 600)
            var offset = 0
            while offset < bytes.count {
                if plus {
                    // Not looked up.
                    #expect(answer.decode(fuse_entry_out.self, at: offset)?.nodeid == 0)
                    offset += MemoryLayout<fuse_entry_out>.size
                }
                position = answer.decode(UInt64.self, at: offset + 8) ?? 0
                let length = Int(answer.decode(UInt32.self, at: offset + 16) ?? 0)
                #expect(answer.decode(UInt32.self, at: offset + 20) == 8 /* DT_REG */)
                names.append(String(decoding: bytes[offset + 24..<offset + 24 + length], as: UTF8.self))
                offset += (24 + length + 7) & ~7
            }
        }
    }

    @Test(arguments: [UInt64(1), 2], [false, true]) func aDirectoryIsListedInPieces(node: UInt64, plus: Bool) async {
        #expect(await list(node: node, plus: plus) == (0..<100).map { "entry-\($0)" })
    }

    @Test func attributesSayTheirLengthFirst() async {
        func ask(_ size: UInt32) -> Asked<AnsweringFS>.Answer {
            asked.ask(.getxattr, bytes(of: fuse_getxattr_in(size: size, padding: 0)) + name("user.a"))
        }
        #expect(ask(0).decode(fuse_getxattr_out.self)?.size == 3)
        #expect(ask(2).errno == .outOfRange)
        #expect(ask(3).bytes == [1, 2, 3])
        #expect(
            await asked.askAndWait(.listxattr, bytes(of: fuse_getxattr_in(size: 100, padding: 0))).bytes
                == Array("user.a\0user.b\0".utf8))
    }

    @Test func notificationsAreTheKernels() throws {
        let notifier = try #require(fileSystem.started.withLock { $0 })
        try notifier.invalidate("name", in: 5)
        var message = try #require(asked.notification())
        #expect(message.code == 3)
        #expect(message.body == bytes(of: fuse_notify_inval_entry_out(parent: 5, namelen: 4, flags: 0)) + name("name"))
        try notifier.invalidate(NodeID(rawValue: 6), from: 4096, length: 8192)
        message = try #require(asked.notification())
        #expect(message.code == 2)
        #expect(message.body == bytes(of: fuse_notify_inval_inode_out(ino: 6, off: 4096, len: 8192)))
        try notifier.invalidateAttributes(of: 6)
        message = try #require(asked.notification())
        #expect(message.body == bytes(of: fuse_notify_inval_inode_out(ino: 6, off: -1, len: 0)))
        try notifier.store([1, 2], into: 6, at: 10)
        message = try #require(asked.notification())
        #expect(message.code == 4)
        #expect(message.body == bytes(of: fuse_notify_store_out(nodeid: 6, offset: 10, size: 2, padding: 0)) + [1, 2])
        try notifier.delete("gone", of: 6, in: 5)
        message = try #require(asked.notification())
        #expect(message.code == 6)
        #expect(
            message.body
                == bytes(of: fuse_notify_delete_out(parent: 5, child: 6, namelen: 4, padding: 0)) + name("gone"))
        try notifier.wake(PollWaker(rawValue: 77))
        message = try #require(asked.notification())
        #expect(message.code == 1)
        #expect(message.body == bytes(of: fuse_notify_poll_wakeup_out(kh: 77)))
    }
}
