import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import LoopbackFS

@Suite("Deadlocks of record locks")
struct WaitForGraphTests {
    private let locks = LockTable()
    private let folder: String

    init() {
        var template = Array("/tmp/locks-test.XXXXXX".utf8CString)
        mkdtemp(&template)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Byte `byte` of file `node` is `owner`'s.
    private func hold(_ owner: UInt64, _ byte: UInt64, of node: UInt64 = 1, type: CInt = F_WRLCK) throws {
        let file = open(folder + "/\(node)", O_RDWR | O_CREAT, 0o600)
        let found = locks.insert(LockOwner(number: owner, descriptor: file), of: node)
        #expect(try found.set(LockRange(start: byte, end: byte, type: type, process: 0), through: owner))
    }

    private func waiter(_ owner: UInt64, _ byte: UInt64, of node: UInt64 = 1, thread: UInt32 = 0) -> WaitForGraph.Waiter
    {
        WaitForGraph.Waiter(
            owner: owner, node: node, range: LockRange(start: byte, end: byte, type: F_WRLCK, process: 0),
            thread: thread)
    }

    private func refuses(_ graph: WaitForGraph, _ waiter: WaitForGraph.Waiter) -> Bool {
        do throws(Errno) {
            try graph.enter(waiter)
            return false
        } catch {
            return error == .deadlock
        }
    }

    @Test(arguments: [2, 3, 50])
    func circleIsRefusedToItsLast(count: Int) throws {
        defer { removeTree(folder) }
        let graph = WaitForGraph(locks) { _ in true }
        for owner in 1...UInt64(count) { try hold(owner, owner, of: owner % 3) }
        var waiters: [WaitForGraph.Waiter] = []
        for owner in 1..<UInt64(count) {
            waiters.append(waiter(owner, owner + 1, of: (owner + 1) % 3))
            #expect(!refuses(graph, waiters[waiters.count - 1]))
        }
        let last = waiter(UInt64(count), 1)
        #expect(refuses(graph, last))
        // It has not entered; and once somebody gives up there is no circle.
        graph.leave(waiters[0])
        #expect(!refuses(graph, last))
        #expect(refuses(graph, waiters[0]))
    }

    @Test func chainIsNoCircle() throws {
        defer { removeTree(folder) }
        let graph = WaitForGraph(locks) { _ in true }
        for owner: UInt64 in 1...4 { try hold(owner, owner) }
        #expect(!refuses(graph, waiter(1, 2)))
        #expect(!refuses(graph, waiter(2, 3)))
        #expect(!refuses(graph, waiter(5, 1)))
        #expect(!refuses(graph, waiter(3, 4)))
        // Nobody has that one, and one's own is none to wait for.
        #expect(!refuses(graph, waiter(4, 100)))
        #expect(!refuses(graph, waiter(4, 4)))
    }

    @Test func oneOfSeveralHoldersIsEnough() throws {
        defer { removeTree(folder) }
        let graph = WaitForGraph(locks) { _ in true }
        for owner: UInt64 in 1...3 { try hold(owner, 9, type: F_RDLCK) }
        #expect(!refuses(graph, waiter(3, 9)))
        #expect(refuses(graph, waiter(1, 9)))
    }

    @Test func locksOfOpenFilesDoNotCount() throws {
        defer { removeTree(folder) }
        // Thread 2 waits for a lock of an open file.
        let graph = WaitForGraph(locks) { $0 != 2 }
        for owner: UInt64 in 1...3 { try hold(owner, owner) }
        #expect(!refuses(graph, waiter(2, 1, thread: 2)))
        #expect(!refuses(graph, waiter(1, 2, thread: 1)))
        // Another way round, which counts, is found beside the one that does not.
        #expect(!refuses(graph, waiter(2, 3, thread: 4)))
        #expect(refuses(graph, waiter(3, 1, thread: 3)))
    }
}
