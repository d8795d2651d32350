import CFUSE
import FUSEProtocol
import Glibc
import SystemPackage
import Testing

@testable import LoopbackFS

@Suite("Inodes and references")
struct InodeTests {
    @Test func referencesAreCounted() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let first = try fixture.lookup("a")
        let second = try fixture.lookup("a")
        #expect(first.nodeid == second.nodeid && first.generation == second.generation)
        #expect(fixture.references(first.nodeid) == 2)
        try fixture.forget(first.nodeid)
        #expect(fixture.references(first.nodeid) == 1)
        try fixture.forget(first.nodeid)
        #expect(fixture.references(first.nodeid) == nil)
        #expect(try fixture.ask(.getattr, first.nodeid, bytes(of: fuse_getattr_in())).errno == .staleNFSFileHandle)
    }

    @Test func rootStays() throws {
        let fixture = try Fixture()
        try fixture.forget(1, 1000)
        #expect(fixture.references(1) != nil)
        let answer = try fixture.ask(.getattr, 1, bytes(of: fuse_getattr_in()))
        #expect(answer.decode(fuse_attr_out.self)?.attr.mode ?? 0 & 0o40000 != 0)
    }

    @Test func forgettingTooMuchOrTheUnknownIsHarmless() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let entry = try fixture.lookup("a")
        try fixture.forget(entry.nodeid, .max)
        try fixture.forget(entry.nodeid, 1)
        try fixture.forget(0xdead_beef, 1)
        #expect(fixture.fileSystem.inodes.count == 1)
    }

    @Test(arguments: ["..", ".", "a/b", "/etc", "", "../etc/passwd"])
    func namesThatLeaveTheDirectoryAreRefused(name: String) throws {
        let fixture = try Fixture()
        fixture.write("a")
        for opcode in [Opcode.unlink, .rmdir] {
            #expect(try fixture.ask(opcode, 1, names: [name]).errno == .invalidArgument)
        }
        let mkdir = bytes(of: fuse_mkdir_in(mode: 0o755, umask: 0))
        #expect(try fixture.ask(.mkdir, 1, mkdir, names: [name]).errno == .invalidArgument)
        let create = bytes(of: fuse_create_in(flags: UInt32(O_RDWR), mode: 0o644, umask: 0, open_flags: 0))
        #expect(try fixture.ask(.create, 1, create, names: [name]).errno == .invalidArgument)
        #expect(try fixture.ask(.symlink, 1, names: [name, "x"]).errno == .invalidArgument)
        let rename = bytes(of: fuse_rename_in(newdir: 1))
        #expect(try fixture.ask(.rename, 1, rename, names: ["a", name]).errno == .invalidArgument)
        #expect(try fixture.ask(.rename, 1, rename, names: [name, "b"]).errno == .invalidArgument)
        if name != "." && name != ".." {
            #expect(try fixture.ask(.lookup, 1, names: [name]).errno == .invalidArgument)
        }
    }

    @Test func parentOfTheRootIsTheRoot() throws {
        let fixture = try Fixture()
        #expect(try fixture.lookup("..").nodeid == 1)
        #expect(try fixture.lookup(".").nodeid == 1)
        #expect(fixture.fileSystem.inodes.count == 1)
    }

    @Test func symbolicLinksAreNotFollowed() throws {
        let fixture = try Fixture()
        symlink("/etc", fixture.source + "/out")
        let link = try fixture.lookup("out")
        #expect(link.attr.mode & 0o170000 == 0o120000)
        #expect(try fixture.ask(.lookup, link.nodeid, names: ["passwd"]).errno == .notDirectory)
        #expect(try fixture.ask(.open, link.nodeid, bytes(of: fuse_open_in())).errno != nil)
        #expect(try fixture.ask(.readlink, link.nodeid).bytes == Array("/etc".utf8))
    }

    @Test func directoryMovedOutHasNoParent() throws {
        let fixture = try Fixture()
        let elsewhere = try Fixture()
        mkdir(fixture.source + "/d", 0o755)
        let directory = try fixture.lookup("d")
        #expect(try fixture.lookup("..", in: directory.nodeid).nodeid == 1)
        rename(fixture.source + "/d", elsewhere.source + "/d")
        #expect(throws: Errno.staleNFSFileHandle) { try fixture.lookup("..", in: directory.nodeid) }
    }

    @Test func forgottenFileIsFoundByItsNodeID() throws {
        let fixture = try Fixture()
        guard fixture.fileSystem.fileSystems.source.hasHandles else { return }
        fixture.write("a")
        let entry = try fixture.lookup("a")
        try fixture.forget(entry.nodeid)
        let again = try fixture.lookup(".", in: entry.nodeid)
        #expect(again.nodeid == entry.nodeid && again.generation == entry.generation)
        try fixture.forget(entry.nodeid)
        unlink(fixture.source + "/a")
        #expect(throws: Errno.staleNFSFileHandle) { try fixture.lookup(".", in: entry.nodeid) }
    }

    @Test func absentNameIsToldAsOne() throws {
        let cached = try Fixture()
        let answer = try cached.ask(.lookup, 1, names: ["none"])
        #expect(answer.decode(fuse_entry_out.self)?.nodeid == 0)
        let uncached = try Fixture { $0.cache = .never }
        #expect(try uncached.ask(.lookup, 1, names: ["none"]).errno == .noSuchFileOrDirectory)
    }

    @Test func sourceThatIsNoDirectoryIsRefused() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let file = FilePath(fixture.source + "/a")
        #expect(throws: LoopbackFS.SourceError.source(file, .notDirectory)) {
            try LoopbackFS(.init(source: file), logger: fixture.fileSystem.logger)
        }
        let missing = FilePath(fixture.source + "/b")
        #expect(throws: LoopbackFS.SourceError.source(missing, .noSuchFileOrDirectory)) {
            try LoopbackFS(.init(source: missing), logger: fixture.fileSystem.logger)
        }
    }

    @Test func replyWithoutRoomCountsNothing() throws {
        let fixture = try Fixture()
        fixture.write("a")
        #expect(try fixture.ask(.lookup, 1, names: ["a"], room: 64).errno == .outOfRange)
        #expect(fixture.fileSystem.inodes.count == 1)
    }
}

@Suite("Descriptors of inodes")
struct DescriptorTests {
    @Test func thousandFilesLiveOnEightDescriptors() throws {
        let fixture = try Fixture { $0.descriptorBudget = 8 }
        guard fixture.fileSystem.fileSystems.source.hasHandles else { return }
        let before = openDescriptors(below: fixture.source)
        var entries: [fuse_entry_out] = []
        for number in 0..<1000 {
            fixture.write("f\(number)", String(repeating: "x", count: number))
            entries.append(try fixture.lookup("f\(number)"))
        }
        #expect(openDescriptors(below: fixture.source) <= before + 8)
        for (number, entry) in entries.enumerated() {
            let answer = try fixture.ask(.getattr, entry.nodeid, bytes(of: fuse_getattr_in()))
            #expect(answer.decode(fuse_attr_out.self)?.attr.size == UInt64(number))
            #expect(try fixture.lookup("f\(number)").generation == entry.generation)
        }
        #expect(openDescriptors(below: fixture.source) <= before + 8)
        for entry in entries { try fixture.forget(entry.nodeid, 2) }
        #expect(openDescriptors(below: fixture.source) == before)
    }

    @Test func unlinkedFileStaysReachable() throws {
        let fixture = try Fixture { $0.descriptorBudget = 2 }
        for number in 0..<8 { fixture.write("f\(number)", "text") }
        let entries = try (0..<8).map { number in try fixture.lookup("f\(number)") }
        for number in 0..<8 { try fixture.ask(.unlink, 1, names: ["f\(number)"]) }
        for entry in entries {
            let answer = try fixture.ask(.getattr, entry.nodeid, bytes(of: fuse_getattr_in()))
            let attributes = answer.decode(fuse_attr_out.self)?.attr
            #expect(attributes?.nlink == 0 && attributes?.size == 4)
        }
    }

    @Test func createdFileStaysReachableWhenItIsUnlinked() throws {
        let fixture = try Fixture()
        let create = bytes(of: fuse_create_in(flags: UInt32(O_RDWR), mode: 0o100644, umask: 0, open_flags: 0))
        let answer = try fixture.ask(.create, 1, create, names: ["a"])
        let node = try #require(answer.decode(fuse_entry_out.self)).nodeid
        let handle = try #require(answer.decode(cfuse_open_out.self, at: MemoryLayout<fuse_entry_out>.size)).fh
        let release = fuse_release_in(fh: handle, flags: 0, release_flags: 0, lock_owner: 0)
        try fixture.ask(.release, node, bytes(of: release))
        try fixture.ask(.unlink, 1, names: ["a"])
        let attributes = try fixture.ask(.getattr, node, bytes(of: fuse_getattr_in())).decode(fuse_attr_out.self)
        #expect(attributes?.attr.nlink == 0)
    }

    /// A request that the kernel allowed for the former file must not reach the one that has its number now.
    @Test func reusedInodeNumberIsAnotherNode() throws {
        let fixture = try Fixture { $0.descriptorBudget = 1 }
        guard fixture.fileSystem.fileSystems.source.hasHandles else { return }
        fixture.write("other")
        var reused = 0
        for _ in 0..<300 {
            fixture.write("a", "mine")
            let old = try fixture.lookup("a")
            // Takes the only descriptor, so that the old inode is held by handle.
            _ = try fixture.lookup("other")
            unlink(fixture.source + "/a")
            fixture.write("a", "private")
            let new = try fixture.lookup("a")
            #expect(new.nodeid != old.nodeid)
            reused += new.attr.ino == old.attr.ino ? 1 : 0
            #expect(throws: Errno.staleNFSFileHandle) { try fixture.open(old.nodeid) }
            #expect(try fixture.ask(.getattr, old.nodeid, bytes(of: fuse_getattr_in())).errno == .staleNFSFileHandle)
            #expect(throws: Never.self) { try fixture.open(new.nodeid) }
            #expect(try fixture.lookup("a").nodeid == new.nodeid)
            try fixture.forget(old.nodeid)
            #expect(try fixture.lookup("a").nodeid == new.nodeid)
            try fixture.forget(new.nodeid, 3)
            #expect(fixture.references(new.nodeid) == nil)
            unlink(fixture.source + "/a")
        }
        // tmpfs gives no number twice.
        print("\(reused) of 300 inode numbers were used again")
    }

    @Test func descriptorTooLargeForACellIsNotTaken() {
        let cache = DescriptorCache(capacity: 2)
        #expect(cache.insert(1 << 20) == nil)
        #expect(cache.shrink(by: 2) == 0)
    }

    @Test func sweepClosesWhatWasNotUsedSince() {
        let cache = DescriptorCache(capacity: 4)
        let slots = (0..<3).map { _ in cache.insert(open("/dev/null", O_RDONLY))! }
        cache.unpin(slots[0].index)
        cache.unpin(slots[1].index)
        // Used, pinned, and the one that nobody asked for again.
        #expect(cache.pin(slots[1]) != nil)
        cache.unpin(slots[1].index)
        #expect(cache.sweep())
        #expect(cache.pin(slots[0]) == nil)
        cache.unpin(slots[2].index)
        #expect(cache.sweep() == false)
        #expect(cache.pin(slots[1]) == nil && cache.pin(slots[2]) == nil)
    }

    @Test func withoutHandlesTheLimitIsAnError() throws {
        let fixture = try Fixture {
            $0.fileHandles = false
            $0.descriptorBudget = 10
        }
        for number in 0..<20 { fixture.write("f\(number)") }
        var failures = 0
        for number in 0..<20 {
            do { _ = try fixture.lookup("f\(number)") } catch {
                #expect(error == .tooManyOpenFilesInSystem)
                failures += 1
            }
        }
        #expect(failures == 11)
    }

    @Test func cacheEvictsTheUnusedAndSparesThePinned() {
        let cache = DescriptorCache(capacity: 2)
        func descriptor() -> CInt { open("/dev/null", O_RDONLY) }
        let first = cache.insert(descriptor())!
        let second = cache.insert(descriptor())!
        let third = descriptor()
        #expect(cache.insert(third) == nil)
        close(third)
        cache.unpin(first.index)
        let fourth = cache.insert(descriptor())!
        #expect(fourth.index == first.index && cache.pin(first) == nil)
        cache.unpin(fourth.index)
        cache.unpin(second.index)
        #expect(cache.shrink(by: 10) == 2)
        #expect(cache.pin(second) == nil && cache.remove(fourth) == nil)
    }

    /// Descriptors of files below this directory: tests run beside each other in one process.
    private func openDescriptors(below path: String) -> Int {
        let directory = opendir("/proc/self/fd")!
        defer { closedir(directory) }
        var count = 0
        var target = [UInt8](repeating: 0, count: 4096)
        while let entry = readdir(directory) {
            let length = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    target.withUnsafeMutableBytes {
                        readlinkat(
                            dirfd(directory), name, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
                    }
                }
            }
            if length > 0, String(decoding: target[..<length], as: UTF8.self).hasPrefix(path) { count += 1 }
        }
        return count
    }
}
