import LinuxSystem
import Testing

@testable import BenchCore

/// Who gets no answer while others do.
@Suite struct StandstillTests {
    private static let idle = "exec sleep 100"
    /// Waits for an end over and over.
    private static let busy = "while :; do /bin/true; done"

    private func isPassedOver(_ waited: String, beside others: [String]) throws -> Bool {
        let first = try ChildProcess.spawn(["sh", "-c", waited])
        let rest = try others.map { try ChildProcess.spawn(["sh", "-c", $0]) }
        defer { for child in [first] + rest { child.kill() } }
        Deadline.sleep(.milliseconds(200))
        let standstill = Standstill(of: [first.id.pid], beside: rest.map { [$0.id.pid] })
        return Deadline(after: .seconds(others.contains(StandstillTests.busy) ? 10 : 1)).wait(
            upTo: .milliseconds(50)
        ) { standstill.isPassedOver }
    }

    @Test func whoWaitsBesideBusyOnesIsPassedOver() throws {
        #expect(try isPassedOver(StandstillTests.idle, beside: [StandstillTests.busy]))
        #expect(try isPassedOver(StandstillTests.idle, beside: [StandstillTests.idle, StandstillTests.busy]))
    }

    @Test func whoHasNobodyBesideItIsNot() throws {
        #expect(try !isPassedOver(StandstillTests.idle, beside: []))
    }

    @Test func whoWaitsWithMostOthersIsNot() throws {
        #expect(try !isPassedOver(StandstillTests.idle, beside: [StandstillTests.idle]))
    }

    @Test func whoMovesIsNot() throws {
        let both = try ["1", "2"].map { _ in try ChildProcess.spawn(["sh", "-c", StandstillTests.busy]) }
        defer { for child in both { child.kill() } }
        Deadline.sleep(.milliseconds(200))
        let standstill = Standstill(of: [both[0].id.pid], beside: [[both[1].id.pid]])
        Deadline.sleep(.seconds(1))
        #expect(!standstill.isPassedOver)
    }

    /// What a server does for others is not for who is passed over.
    @Test func aServersWorkIsNotForWhomItPassesOver() throws {
        let waiting = try ChildProcess.spawn(["sh", "-c", StandstillTests.idle])
        let server = try ChildProcess.spawn(["sh", "-c", "while :; do :; done"])
        defer { for child in [waiting, server] { child.kill() } }
        Deadline.sleep(.milliseconds(200))
        let activity = ProcessActivity(of: [waiting.id.pid], servedBy: [server.id.pid])
        #expect(activity.isSeen())
        #expect(!activity.isSeen(isPassedOver: true))
    }
}
