import CFUSE
import CLinux
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

    /// Otherwise io_uring would have another thread read and write them. /dev/shm is tmpfs.
    @Test(arguments: [false, true])
    func filesInMemoryAreTriedAtOnce(direct: Bool) throws {
        for flags: InitFlags in [[], .bufferPools] {
            let fixture = try Fixture(in: "/dev/shm", agreed: flags)
            fixture.write("a", "0123456789")
            let node = try fixture.lookup("a").nodeid
            let handle = try fixture.open(node, O_RDWR | (direct ? CLINUX_O_DIRECT : 0))
            let file = try fixture.fileSystem.files.find(handle)
            let both = O_NONBLOCK | CLINUX_O_DIRECT
            #expect(fcntl(file.descriptor, F_GETFL) & both == (flags.isEmpty ? (direct ? CLINUX_O_DIRECT : 0) : both))
            #expect(file.backing.isDirect == direct)
            // As small and as unaligned as a client wants it.
            var byte: UInt8 = 0
            #expect(pread(file.descriptor, &byte, 1, 3) == 1 && byte == UInt8(ascii: "3"))
            #expect(pwrite(file.descriptor, &byte, 1, 5) == 1)
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
