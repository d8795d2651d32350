import BenchCore
import Testing
import VirtualMachines

@testable import SuitesInGuests

/// What comes out of a suite whose guests die, by what the guests say.
@Suite struct SuiteInGuestsTests {
    /// A guest: what its suite says, and how it ends.
    private struct Script {
        var says: String
        var outcome: GuestOutcome
    }

    /// All that comes out.
    private final class Heard {
        var events: [SuiteEvent] = []
        var others: [String] = []
        var kept: [String: String] = [:]
        /// What each guest was told not to run.
        var done: [[String]] = []

        var results: [TestResult] {
            events.compactMap { if case .finished(let result) = $0 { result } else { nil } }
        }

        var planned: [Int] { events.compactMap { if case .planned(let count) = $0 { count } else { nil } } }
    }

    private func run(_ guests: [Script], canResume: Bool = true) throws -> (SuiteInGuests.End, Heard) {
        let heard = Heard()
        let suite = SuiteInGuests(
            canResume: canResume,
            host: .init(
                boot: { number, done, suite in
                    heard.done.append(done)
                    let guest = guests[number - 1]
                    // In pieces, as a serial line has it.
                    let bytes = Array(guest.says.utf8)
                    for start in stride(from: 0, to: bytes.count, by: 7) {
                        suite.hear(Array(bytes[start..<min(start + 7, bytes.count)]))
                    }
                    return GuestReport(outcome: guest.outcome, release: "6.18", boot: .seconds(1))
                },
                pass: { line in
                    if let event = try? SuiteEvent(line: line.dropLast()) {
                        heard.events.append(event)
                    } else {
                        heard.others.append(String(decoding: line, as: UTF8.self))
                    }
                },
                keep: { name, text in
                    heard.kept[name] = text
                    return name
                }))
        return (try suite.run(), heard)
    }

    private func started(_ name: String) -> String { line(.started(area: "a", name: name)) }

    private func passed(_ name: String, evidence: [String] = []) -> String {
        line(
            .finished(
                TestResult(
                    suite: "stop-path", target: "legacy", area: "a", name: name, verdict: .passed, seconds: 1,
                    evidence: evidence)))
    }

    private func planned(_ count: Int) -> String { line(.planned(count: count)) }

    private func line(_ event: SuiteEvent) -> String { String(decoding: event.line, as: UTF8.self) }

    private let panic = GuestOutcome.crashed(report: [
        "x", "[    1.5] Kernel panic - not syncing: sysrq", "Call Trace:",
    ])

    @Test func aQuietRunIsPassedOn() throws {
        let says = planned(1) + started("x") + passed("x", evidence: ["/run/results/x/log", "y"])
        let (end, heard) = try run([Script(says: says, outcome: .ended(status: 0))])
        #expect(end == .ended(status: 0))
        #expect(heard.planned == [1])
        #expect(heard.results.map(\.evidence) == [["x/log", "y"]])
        #expect(heard.kept.isEmpty && heard.others.isEmpty)
    }

    @Test func theTestThatRanIsToBlameAndTheOthersStillRun() throws {
        let (end, heard) = try run([
            Script(says: planned(3) + started("x") + passed("x") + started("y") + #"{"event":"fin"#, outcome: panic),
            Script(says: planned(1) + started("z") + passed("z"), outcome: .ended(status: 0)),
        ])
        #expect(end == .ended(status: 1))
        #expect(heard.done == [[], ["x", "y"]])
        #expect(heard.planned == [3, 3])
        #expect(heard.results.map(\.name) == ["x", "y", "z"])
        #expect(heard.results.map(\.verdict) == [.passed, .crashed, .passed])
        let crash = heard.results[1]
        #expect((crash.suite, crash.target, crash.area) == ("stop-path", "legacy", "a"))
        #expect(crash.message == "the kernel died: Kernel panic - not syncing: sysrq")
        #expect(crash.evidence == ["guest-1.report", "guest-1.console"])
        #expect(heard.kept["guest-1.report"]?.contains("Call Trace") == true)
        // The line that the death cut off is no result, and no fault of the suite.
        #expect(heard.others.isEmpty)
    }

    @Test func aGuestThatDiesAtItsLastTestIsNotStartedAgain() throws {
        let (end, heard) = try run([Script(says: planned(1) + started("x"), outcome: panic)])
        #expect(end == .ended(status: 1))
        #expect(heard.results.map(\.verdict) == [.crashed])
    }

    @Test func aHungGuestIsAVerdictToo() throws {
        let (end, heard) = try run([
            Script(says: planned(2) + started("x"), outcome: .silent(console: ["task:x state:D"])),
            Script(says: planned(1) + passed("y"), outcome: .ended(status: 0)),
        ])
        #expect(end == .ended(status: 1))
        #expect(heard.results.map(\.verdict) == [.hung, .passed])
        #expect(heard.kept["guest-1.report"] == "task:x state:D\n")
    }

    @Test func aSuiteThatCannotGoOnSaysWhatDidNotRun() throws {
        let (end, heard) = try run(
            [Script(says: planned(8) + started("x") + passed("x") + started("y"), outcome: panic)], canResume: false)
        #expect(end == .broken("the guest died, and this suite cannot go on; 6 tests of 8 did not run"))
        #expect(heard.results.map(\.verdict) == [.passed, .crashed])
    }

    @Test func guestsThatDieBeforeAnyTestEndTheRun() throws {
        let (end, heard) = try run([
            Script(says: planned(2) + started("x"), outcome: panic), Script(says: planned(1), outcome: panic),
        ])
        #expect(end == .broken("guest 2 died without a test; 1 test of 2 did not run"))
        #expect(heard.results.map(\.name) == ["x", "stays alive"])
    }

    @Test func aKernelThatDoesNotBootIsOneResult() throws {
        let (end, heard) = try run([
            Script(says: "", outcome: .neverBooted(console: ["VFS: no root"], emulator: []))
        ])
        #expect(end == .ended(status: 1))
        #expect(heard.results.map(\.name) == ["boots"])
        #expect(heard.results.first?.message == "the kernel did not boot: VFS: no root")
    }

    @Test func testsThatRanSideBySideShareTheBlame() throws {
        let (_, heard) = try run([Script(says: planned(2) + started("x") + started("y"), outcome: panic)])
        #expect(heard.results.map(\.verdict) == [.crashed, .crashed])
        #expect(heard.results.allSatisfy { $0.message.hasSuffix(", or of 1 test beside it") })
    }

    @Test func whatIsNoEventIsPassedOnAsItIs() throws {
        let (end, heard) = try run([Script(says: "hello\n" + passed("x") + "cut", outcome: .ended(status: 0))])
        #expect(end == .ended(status: 0))
        #expect(heard.others == ["hello\n", "cut"])
    }
}
