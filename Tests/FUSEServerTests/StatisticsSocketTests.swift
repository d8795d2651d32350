import Foundation
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import FUSEServer

/// Nobody waits for ever at either end of the statistics socket.
@Suite(.serialized) struct StatisticsSocketTests {
    /// Numbers that no connection has.
    private static let number = UInt32(4_000_000_000) + UInt32(getpid() % 100_000) * 10

    /// More than a socket holds before anyone reads.
    private static let large = SessionStatistics(
        transport: String(repeating: "x", count: 4 << 20), connection: 0, mountPoint: "/", processID: 0, threads: 0,
        settings: [:], fetched: 0, committed: 0, queues: [], device: .init(fetched: 0, committed: 0), opcodes: [])

    @Test func answersAndGoes() throws {
        let listener = try StatisticsListener(connection: StatisticsSocketTests.number) { StatisticsSocketTests.large }
        let document = try StatisticsSocket.ask(connection: StatisticsSocketTests.number, uid: geteuid())
        #expect(try JSONDecoder().decode(SessionStatistics.self, from: document).transport.count == 4 << 20)
        listener.close()
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try StatisticsSocket.ask(connection: StatisticsSocketTests.number, uid: geteuid())
        }
    }

    @Test func aClientThatDoesNotReadHoldsTheOthersUpForAMomentOnly() throws {
        let number = StatisticsSocketTests.number + 1
        let listener = try StatisticsListener(connection: number) { StatisticsSocketTests.large }
        defer { listener.close() }
        let idle = try StatisticsSocket.make(nonblocking: false)
        defer { close(idle) }
        try StatisticsSocket.withAddress(StatisticsSocket.path(connection: number, uid: geteuid())) {
            address, size throws(Errno) in
            _ = try Errno.check { connect(idle, address, size) }
        }
        #expect(try StatisticsSocket.ask(connection: number, uid: geteuid(), within: 20).count > 4 << 20)
    }

    @Test func aDaemonThatIsStoppedCostsTheDeadlineOnly() throws {
        let number = StatisticsSocketTests.number + 2
        let path = StatisticsSocket.path(connection: number, uid: geteuid())
        mkdir(StatisticsSocket.folder(uid: geteuid()), 0o700)
        // It listens, and that is all.
        let socket = try StatisticsSocket.make(nonblocking: false)
        defer {
            close(socket)
            unlink(path)
        }
        try StatisticsSocket.withAddress(path) { address, size throws(Errno) in
            _ = try Errno.check { bind(socket, address, size) }
        }
        listen(socket, 0)
        let end = Deadline(secondsFromNow: 20)
        // The first waits for its answer, the later ones for their turn as well.
        for _ in 0..<3 {
            #expect(throws: Errno.timedOut) {
                try StatisticsSocket.ask(connection: number, uid: geteuid(), within: 0.2)
            }
        }
        #expect(!end.hasPassed)
    }

    @Test func aSocketThatIsNotToBeHadCostsNoDescriptor() throws {
        let open = { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        let number = StatisticsSocketTests.number + 3
        let path = StatisticsSocket.path(connection: number, uid: geteuid())
        // A directory in its place cannot be unlinked.
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { rmdir(path) }
        chmod(StatisticsSocket.folder(uid: geteuid()), 0o700)
        let before = try open()
        for _ in 0..<50 {
            #expect(throws: Errno.addressInUse) {
                _ = try StatisticsListener(connection: number) { StatisticsSocketTests.large }
            }
        }
        #expect(try open() < before + 40)
    }
}
