import Testing

@testable import TransportURing

@Suite struct WaitPolicyTests {
    /// A session with one client, whose requests take so many nanoseconds each, by the way that the thread waits.
    private struct Client {
        var policy: WaitPolicy
        var now: UInt64 = 1
        var total: UInt64 = 0
        /// Requests that were taken each way.
        var taken = [0, 0, 0]

        init(canBePinned: Bool = true) { policy = WaitPolicy(canBePinned: canBePinned) }

        mutating func send(
            trials: Int, onlyClients: Bool = true, large: Bool = false, _ pinned: UInt64, _ free: UInt64,
            _ polling: UInt64
        ) {
            for _ in 0..<trials * WaitPolicy.sample * WaitPolicy.trial {
                send(onlyClients: onlyClients, large: large, [pinned, free, polling][policy.mode.rawValue])
            }
        }

        /// - Parameter elsewhere: requests of other rings for each of this one's.
        mutating func send(onlyClients: Bool = true, large: Bool = false, _ cost: UInt64, elsewhere: UInt64 = 0) {
            taken[policy.mode.rawValue] += 1
            now += cost * (1 + elsewhere)
            total += 1 + elsewhere
            if policy.requestTaken(onlyClients: onlyClients) { policy.sampleEnded(at: now, total: total) }
            if large { policy.requestIsLarge() }
        }
    }

    @Test(
        arguments: [
            (30_000, 30_000, 15_000, WaitPolicy.Mode.polling), (30_000, 15_000, 14_000, .free),
            (15_000, 14_900, 14_000, .pinned), (15_000, 30_000, 30_000, .pinned),
        ] as [(UInt64, UInt64, UInt64, WaitPolicy.Mode)])
    func keepsToTheBestWay(pinned: UInt64, free: UInt64, polling: UInt64, best: WaitPolicy.Mode) {
        var client = Client()
        client.send(trials: 10 * WaitPolicy.term, pinned, free, polling)
        #expect(client.policy.mode == best)
        let share = Double(client.taken[best.rawValue]) / Double(client.total)
        #expect(share > 0.95 && share < 1, "the others are tried now and then")
    }

    @Test func triesEachWayOnceAfterAWhile() {
        var client = Client()
        var ways: [WaitPolicy.Mode] = []
        // The first request only starts the clock.
        client.send(20_000)
        for _ in 0..<WaitPolicy.patience + 3 {
            ways.append(client.policy.mode)
            client.send(trials: 1, 20_000, 20_000, 20_000)
        }
        #expect(ways == Array(repeating: .pinned, count: WaitPolicy.patience) + [.free, .polling, .pinned])
    }

    @Test func aThreadWithoutACoreIsNeverPinned() {
        var client = Client(canBePinned: false)
        client.send(trials: 2 * WaitPolicy.term, 1, 20_000, 20_000)
        #expect(client.taken[0] == 0)
        #expect(client.policy.mode == .free)
    }

    @Test func aThreadWithoutACorePollsAtFirst() {
        var client = Client(canBePinned: false)
        #expect(client.policy.mode == .polling)
        client.send(onlyClients: false, 15_000)
        #expect(client.policy.mode == .free, "whose requests wait for a disk has nothing to watch for")
    }

    @Test func largeRequestsLeaveTheCoreAtOnce() {
        var client = Client()
        for _ in 0..<WaitPolicy.fewLarge { client.send(large: true, 60_000) }
        #expect(client.policy.mode == .free)
        client.send(trials: 2 * WaitPolicy.term, large: true, 1, 60_000, 60_000)
        #expect(client.policy.mode == .free)
        for _ in 0..<WaitPolicy.sample + 1 { client.send(15_000) }
        #expect(client.policy.mode == .pinned, "small ones have come back")
    }

    @Test func aLargeRequestNowAndThenChangesNothing() {
        var client = Client()
        for _ in 0..<20 {
            client.send(large: true, 60_000)
            for _ in 0..<WaitPolicy.sample + 1 { client.send(15_000) }
        }
        #expect(client.policy.mode == .pinned)
    }

    @Test func changesItsMindWhenTheRequestsChange() {
        var client = Client()
        client.send(trials: 16, 30_000, 30_000, 15_000)
        #expect(client.policy.mode == .polling)
        client.send(trials: 2, 30_000, 30_000, 40_000)
        #expect(client.policy.mode == .pinned)
        client.send(trials: WaitPolicy.term + 10, 30_000, 30_000, 15_000)
        #expect(client.policy.mode == .polling)
    }

    @Test func aPauseOfTheClientDecidesNothing() {
        var client = Client()
        client.send(15_000)
        client.now += 1_000_000_000
        client.send(trials: 10, 15_000, 15_000, 15_000)
        #expect(client.policy.mode == .pinned)
    }

    @Test func whatOtherRingsGetDoneCounts() {
        // While pinned, every other request goes elsewhere: this ring's own come at half the pace, the client's do not.
        var client = Client()
        while client.policy.mode == .pinned { client.send(15_000, elsewhere: 1) }
        client.send(trials: 3, 15_000, 15_000, 15_000)
        #expect(client.policy.mode == .pinned)
    }

    @Test func backingRequestsBringItBackToItsCore() {
        var client = Client()
        client.send(trials: 16, 30_000, 30_000, 15_000)
        #expect(client.policy.mode == .polling)
        client.send(onlyClients: false, 15_000)
        #expect(client.policy.mode == .pinned)
        client.send(trials: 1, onlyClients: false, 30_000, 30_000, 15_000)
        #expect(client.policy.mode == .pinned)
    }
}
