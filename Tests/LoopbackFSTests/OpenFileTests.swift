import CFUSE
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import LoopbackFS

@Suite("Open files and directories")
struct OpenFileTests {
    @Test(arguments: [0, 1, 1 << 32, .max, 0xffff_ffff, 1 << 32 | 17] as [UInt64])
    func bogusHandleIsAnError(handle: UInt64) throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let read = bytes(
            of: fuse_read_in(fh: handle, offset: 0, size: 10, read_flags: 0, lock_owner: 0, flags: 0, padding: 0))
        #expect(try fixture.ask(.read, node, read).errno == .badFileDescriptor)
        #expect(try fixture.ask(.readdir, 1, read).errno == .badFileDescriptor)
        let release = bytes(of: fuse_release_in(fh: handle, flags: 0, release_flags: 0, lock_owner: 0))
        #expect(try fixture.ask(.release, node, release).errno == .badFileDescriptor)
        #expect(try fixture.ask(.releasedir, node, release).errno == .badFileDescriptor)
        #expect(
            try fixture.ask(.fsync, node, bytes(of: fuse_fsync_in(fh: handle, fsync_flags: 0, padding: 0))).errno != nil
        )
        #expect(try fixture.ask(.setlk, node, bytes(of: fuse_lk_in())).errno == .badFileDescriptor)
    }

    @Test func releasedHandleIsNotReused() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        var seen: Set<UInt64> = []
        for _ in 0..<100 {
            let handle = try fixture.open(node)
            #expect(seen.insert(handle).inserted)
            let release = bytes(of: fuse_release_in(fh: handle, flags: 0, release_flags: 0, lock_owner: 0))
            #expect(try fixture.ask(.release, node, release).bytes == [])
            #expect(try fixture.ask(.release, node, release).errno == .badFileDescriptor)
        }
    }

    @Test func createIsOneStep() throws {
        let fixture = try Fixture()
        let arguments = bytes(
            of: fuse_create_in(flags: UInt32(O_RDWR | O_CREAT | O_EXCL), mode: 0o100666, umask: 0o027, open_flags: 0))
        let answer = try fixture.ask(.create, 1, arguments, names: ["new"])
        let entry = try #require(answer.decode(fuse_entry_out.self))
        #expect(entry.attr.mode == 0o100640)
        #expect(fixture.references(entry.nodeid) == 1)
        #expect(try fixture.ask(.create, 1, arguments, names: ["new"]).errno == .fileExists)
        let handle = try #require(answer.decode(cfuse_open_out.self, at: MemoryLayout<fuse_entry_out>.size)).fh
        let write = fuse_write_in(
            fh: handle, offset: 5, size: 3, write_flags: 0, lock_owner: 0, flags: UInt32(O_RDWR), padding: 0)
        guard
            case .other(.write(_, offset: 5, flags: 0)) = try fixture.ask(
                .write, entry.nodeid, bytes(of: write), data: [1, 2, 3])
        else {
            Issue.record("WRITE is not handed to the transport")
            return
        }
    }

    @Test(arguments: [false, true])
    func everyEntryIsListedOnce(plus: Bool) throws {
        let fixture = try Fixture()
        let names = Set((0..<500).map { "entry-\($0)" })
        for name in names { fixture.write(name) }
        let handle = try fixture.open(1, directory: true)
        var listed: [String] = []
        var offset: UInt64 = 0
        while true {
            let entries = try list(fixture, handle, offset, plus: plus, size: 1024)
            guard let last = entries.last else { break }
            offset = last.offset
            listed += entries.map(\.name)
            // What was listed may go without moving what is left.
            if listed.count < 250 {
                for entry in entries where entry.name.hasPrefix("entry") { unlink(fixture.source + "/" + entry.name) }
            }
        }
        #expect(Set(listed) == names.union([".", ".."]) && listed.count == names.count + 2)
    }

    @Test func entriesAreFoundAgainByOffset() throws {
        let fixture = try Fixture()
        for number in 0..<200 { fixture.write("\(number)") }
        let handle = try fixture.open(1, directory: true)
        let all = try list(fixture, handle, 0, plus: false, size: 65536)
        #expect(all.count == 202)
        for index in [150, 3, 77, 0, 200] {
            let rest = try list(fixture, handle, all[index].offset, plus: false, size: 65536)
            #expect(rest.map(\.name) == all[(index + 1)...].map(\.name))
        }
        fixture.write("late")
        let again = try list(fixture, handle, 0, plus: false, size: 65536)
        #expect(again.contains { $0.name == "late" })
    }

    @Test func listingWithAttributesCountsWhatFits() throws {
        let fixture = try Fixture()
        for number in 0..<10 { fixture.write("\(number)") }
        let handle = try fixture.open(1, directory: true)
        let entries = try list(fixture, handle, 0, plus: true, size: 600)
        let counted = entries.filter { $0.node != 0 }
        #expect(!counted.isEmpty && counted.count < 10)
        #expect(fixture.fileSystem.inodes.count == 1 + counted.count)
        #expect(entries.allSatisfy { $0.node != 0 || $0.name == "." || $0.name == ".." })
    }

    private struct Entry {
        var name: String
        var offset: UInt64
        var node: UInt64
    }

    private func list(
        _ fixture: Fixture, _ handle: UInt64, _ offset: UInt64, plus: Bool, size: UInt32
    ) throws -> [Entry] {
        let arguments = fuse_read_in(
            fh: handle, offset: offset, size: size, read_flags: 0, lock_owner: 0, flags: 0, padding: 0)
        let answer = try fixture.ask(plus ? .readdirplus : .readdir, 1, bytes(of: arguments))
        let reply = try #require(answer.bytes)
        #expect(reply.count <= Int(size))
        var entries: [Entry] = []
        var position = 0
        while position < reply.count {
            var node: UInt64 = 0
            if plus {
                node = reply.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt64.self) }
                position += MemoryLayout<fuse_entry_out>.size
            }
            let (next, length) = reply.withUnsafeBytes {
                (
                    $0.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self),
                    Int($0.loadUnaligned(fromByteOffset: position + 16, as: UInt32.self))
                )
            }
            let name = String(decoding: reply[position + 24..<position + 24 + length], as: UTF8.self)
            entries.append(Entry(name: name, offset: next, node: node))
            position += (24 + length + 7) & ~7
        }
        return entries
    }
}

@Suite("Locks")
struct LockTests {
    private func lock(
        _ handle: UInt64, owner: UInt64, type: CInt, _ range: ClosedRange<UInt64> = 0...UInt64(Int64.max),
        flags: Int32 = 0
    ) -> [UInt8] {
        let lock = fuse_file_lock(
            start: range.lowerBound, end: range.upperBound, type: UInt32(type), pid: UInt32(100 + owner))
        return bytes(of: fuse_lk_in(fh: handle, owner: owner, lk: lock, lk_flags: UInt32(flags), padding: 0))
    }

    @Test func ownersConflictAndAreNamed() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let handle = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_WRLCK, 0...9)).bytes == [])
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_RDLCK, 5...6)).bytes == [])
        #expect(
            try fixture.ask(.setlk, node, lock(handle, owner: 2, type: F_WRLCK, 9...12)).errno
                == .resourceTemporarilyUnavailable)
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 2, type: F_RDLCK, 5...5)).bytes == [])
        let conflict = try fixture.ask(.getlk, node, lock(handle, owner: 2, type: F_WRLCK, 8...100))
            .decode(fuse_lk_out.self)?.lk
        #expect(conflict?.type == UInt32(F_WRLCK) && conflict?.start == 7 && conflict?.end == 9 && conflict?.pid == 101)
        let own = try fixture.ask(.getlk, node, lock(handle, owner: 1, type: F_WRLCK, 7...9)).decode(fuse_lk_out.self)?
            .lk
        #expect(own?.type == UInt32(F_UNLCK))
        // FLUSH of the owner lets go of all it has.
        try fixture.ask(.flush, node, bytes(of: fuse_flush_in(fh: handle, unused: 0, padding: 0, lock_owner: 1)))
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 2, type: F_WRLCK)).bytes == [])
    }

    @Test(arguments: [0, FUSE_LK_FLOCK])
    func waitEndsByInterrupt(flags: Int32) async throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let first = try fixture.open(node, O_RDWR)
        let second = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(first, owner: 1, type: F_WRLCK, flags: flags)).bytes == [])
        for round in 0..<20 {
            let unique = UInt64(1000 + 2 * round)
            let answer = try fixture.ask(
                .setlkw, node, lock(second, owner: 2, type: F_WRLCK, flags: flags), unique: unique)
            guard case .other(.deferred(let work)) = answer else {
                Issue.record("a lock that is held is not waited for")
                return
            }
            let result = Result()
            let thread = Thread { work(DeferredReply(unique: unique) { error, _ in result.set(error) }) }
            if round % 2 == 0 { usleep(2000) }
            fixture.fileSystem.interrupt(unique: unique)
            thread.join()
            #expect(result.error == .interrupted)
        }
    }

    @Test func waitGetsTheLock() async throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let handle = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_WRLCK)).bytes == [])
        guard case .other(.deferred(let work)) = try fixture.ask(.setlkw, node, lock(handle, owner: 2, type: F_WRLCK))
        else {
            Issue.record("a lock that is held is not waited for")
            return
        }
        let result = Result()
        let thread = Thread { work(DeferredReply(unique: 1) { error, _ in result.set(error) }) }
        usleep(2000)
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_UNLCK)).bytes == [])
        thread.join()
        #expect(result.isSet && result.error == nil)
    }

    @Test func interruptThatComesFirstCounts() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let handle = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_WRLCK)).bytes == [])
        fixture.fileSystem.interrupt(unique: 4242)
        let answer = try fixture.ask(.setlkw, node, lock(handle, owner: 2, type: F_WRLCK), unique: 4242)
        #expect(answer.errno == .interrupted)
    }

    @Test func stopEndsAllWaits() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let handle = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_WRLCK)).bytes == [])
        let result = Result()
        guard case .other(.deferred(let work)) = try fixture.ask(.setlkw, node, lock(handle, owner: 2, type: F_WRLCK))
        else {
            Issue.record("a lock that is held is not waited for")
            return
        }
        let thread = Thread { work(DeferredReply(unique: 1) { error, _ in result.set(error) }) }
        usleep(1000)
        fixture.fileSystem.interruptWaiters()
        thread.join()
        #expect(result.error == .interrupted)
    }

    /// What a deferred reply said.
    private final class Result: Sendable {
        private let value = Lock<Errno??>(nil)

        func set(_ error: Errno?) { value.withLock { $0 = .some(error) } }
        var isSet: Bool { value.withLock { $0 != nil } }
        var error: Errno? { value.withLock { $0 ?? nil } }
    }

    /// A thread, since what it does blocks.
    private struct Thread {
        private var thread = pthread_t()

        init(_ body: @escaping @Sendable () -> Void) {
            let box = Unmanaged.passRetained(Box(body))
            pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                    return nil
                }, box.toOpaque())
        }

        func join() { pthread_join(thread, nil) }

        private final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
    }
}
