import CFUSE
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import LoopbackFS

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
            let thread = Thread { work.run(DeferredReply(unique: unique) { error, _ in result.set(error) }) }
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
        let thread = Thread { work.run(DeferredReply(unique: 1) { error, _ in result.set(error) }) }
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
        let thread = Thread { work.run(DeferredReply(unique: 1) { error, _ in result.set(error) }) }
        usleep(1000)
        fixture.fileSystem.interruptWaiters()
        thread.join()
        #expect(result.error == .connectionAbort)
    }

    /// The kernel's owner of an open file's lock is an address, which the next open file may have, too. RELEASE of the former
    /// one comes late, and is about what was locked through its handle only.
    @Test func lateReleaseLeavesTheNextOwnersLock() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let former = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(former, owner: 7, type: F_WRLCK, 50...59)).bytes == [])
        #expect(try fixture.ask(.setlk, node, lock(former, owner: 7, type: F_WRLCK, 0...9)).bytes == [])
        let next = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(next, owner: 7, type: F_WRLCK, 5...19)).bytes == [])
        try release(fixture, node, former)
        for (byte, isLocked) in [(4, false), (5, true), (9, true), (19, true), (20, false), (50, false)] {
            let byte = UInt64(byte)
            let answer = try fixture.ask(.getlk, node, lock(next, owner: 8, type: F_WRLCK, byte...byte))
            #expect(
                answer.decode(fuse_lk_out.self)?.lk.type == UInt32(isLocked ? F_WRLCK : F_UNLCK), "byte \(byte)")
        }
        try release(fixture, node, next)
        let other = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(other, owner: 8, type: F_WRLCK)).bytes == [])
    }

    /// A process may lock through several descriptors, and loses all with close(2) of any.
    @Test func processLosesAllWithItsFirstClose() throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let (one, two) = (try fixture.open(node, O_RDWR), try fixture.open(node, O_RDWR))
        #expect(try fixture.ask(.setlk, node, lock(one, owner: 1, type: F_WRLCK, 0...9)).bytes == [])
        #expect(try fixture.ask(.setlk, node, lock(two, owner: 1, type: F_WRLCK, 5...14)).bytes == [])
        try fixture.ask(.flush, node, bytes(of: fuse_flush_in(fh: two, unused: 0, padding: 0, lock_owner: 1)))
        #expect(try fixture.ask(.setlk, node, lock(one, owner: 1, type: F_WRLCK, 90...99)).bytes == [])
        try release(fixture, node, two)
        #expect(try fixture.ask(.setlk, node, lock(one, owner: 2, type: F_WRLCK, 0...89)).bytes == [])
        #expect(
            try fixture.ask(.setlk, node, lock(one, owner: 2, type: F_WRLCK, 95...95)).errno
                == .resourceTemporarilyUnavailable)
    }

    /// One thread of a process closes a descriptor while another waits for a lock, which it then keeps.
    @Test func lockThatIsWaitedForOutlivesAClose() throws {
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
        let thread = Thread { work.run(DeferredReply(unique: 1) { error, _ in result.set(error) }) }
        usleep(2000)
        try fixture.ask(.flush, node, bytes(of: fuse_flush_in(fh: handle, unused: 0, padding: 0, lock_owner: 2)))
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_UNLCK)).bytes == [])
        thread.join()
        #expect(result.isSet && result.error == nil)
        #expect(
            try fixture.ask(.setlk, node, lock(handle, owner: 3, type: F_WRLCK)).errno
                == .resourceTemporarilyUnavailable)
    }

    /// Where there is no room for more that waits, nothing of the request is left.
    @Test(arguments: [0, FUSE_LK_FLOCK])
    func refusedWaitLeavesNothing(flags: Int32) throws {
        let fixture = try Fixture()
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let first = try fixture.open(node, O_RDWR)
        let second = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(first, owner: 1, type: F_WRLCK, flags: flags)).bytes == [])
        for _ in 0..<2 {
            let answer = try fixture.ask(.setlkw, node, lock(second, owner: 2, type: F_WRLCK, flags: flags), unique: 99)
            guard case .other(.deferred(let work)) = answer else {
                Issue.record("a lock that is held is not waited for")
                return
            }
            #expect(work.dependsOnOthers)
            #expect(work.refuse() == .noLocks)
        }
    }

    /// The kernel aborts the whole connection over one late request.
    @Test func waitEndsBeforeTheRequestsTime() throws {
        let fixture = try Fixture()
        fixture.fileSystem.waits.limit(to: 0.2)
        fixture.write("a")
        let node = try fixture.lookup("a").nodeid
        let handle = try fixture.open(node, O_RDWR)
        #expect(try fixture.ask(.setlk, node, lock(handle, owner: 1, type: F_WRLCK)).bytes == [])
        let answer = try fixture.ask(.setlkw, node, lock(handle, owner: 2, type: F_WRLCK))
        guard case .other(.deferred(let work)) = answer else {
            Issue.record("a lock that is held is not waited for")
            return
        }
        let result = Result()
        Thread { work.run(DeferredReply(unique: 1) { error, _ in result.set(error) }) }.join()
        #expect(result.error == .noLocks)
    }

    private func release(_ fixture: Fixture, _ node: UInt64, _ handle: UInt64) throws {
        try fixture.ask(
            .release, node, bytes(of: fuse_release_in(fh: handle, flags: 0, release_flags: 0, lock_owner: 0)))
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
