import Testing

@testable import XFSTestsSuite

/// What `check` prints, in pieces as they come.
@Suite struct XFSTestsOutputTests {
    @Test func aRunInPieces() {
        var output = CheckOutput(tests: ["generic/001", "generic/002", "generic/003"])
        #expect(output.take("SECTION       -- legacy\n\ngeneric/001 ").count == 1)
        #expect(output.running == "generic/001")
        #expect(output.take(" 4s ... ") == [])
        #expect(
            output.take(" 3s\ngeneric/002 ") == [.ended("generic/001", CheckVerdict(.pass)), .began("generic/002")])
        let more = "[not run] needs a device\ngeneric/003        - output mismatch (see /x/003.out.bad)\n"
        #expect(
            output.take(more) == [
                .ended("generic/002", CheckVerdict(.notrun, "needs a device")), .began("generic/003"),
            ])
        #expect(output.take("    --- a\n    +++ b\n    @@ -1 +1 @@\n    -good\n    +generic/001 bad\n") == [])
        let last = output.take("Ran: generic/001 generic/002 generic/003\n")
        #expect(last == [.ended("generic/003", CheckVerdict(.fail, "output mismatch: +generic/001 bad")), .finished])
    }

    @Test(arguments: [
        ("         7s", XFSTestsOutcome.pass), (" 2s ...  7s", .pass), (" 2s ... ", .fail), ("", .fail),
        (" 2s ... [not run] no such thing", .notrun), ("       [expunged]", .excluded), (" - no such test?", .notrun),
        (" [failed, exit status 1]- output mismatch", .fail),
        (" _check_dmesg: something found in dmesg (see /x/001.dmesg)", .fail), (" [dumped core] 3s", .fail),
    ])
    func verdict(_ text: String, _ outcome: XFSTestsOutcome) {
        #expect(CheckVerdict(text).outcome == outcome)
    }

    @Test func aTestThatIsCutOffHasWhatWasSaid() {
        var output = CheckOutput(tests: ["generic/001"])
        _ = output.take("generic/001   - output mis")
        guard case .ended("generic/001", let verdict)? = output.end() else { return #expect(Bool(false)) }
        #expect(verdict.outcome == .fail)
    }

    @Test func onlyTestsThatWereAskedForOpenOne() {
        var output = CheckOutput(tests: ["generic/001"])
        #expect(output.take("generic/002 1s\n") == [])
        #expect(output.preamble.contains("generic/002"))
    }

    @Test func groups() {
        let tests = XFSTestsCheckout.parse(
            groupList: "# head\n\n1000 auto\n002 auto quick # why\n100 quick\n", directory: "generic")
        #expect(tests.map(\.name) == ["generic/002", "generic/100", "generic/1000"])
        #expect(tests[0].groups == ["auto", "quick"])
    }

    @Test func sections() {
        let sections = XFSTestsFolder.parse(sections: "# x\nlegacy  transport=legacy  # y\n\nbare\n")
        #expect(sections.map(\.name) == ["legacy", "bare"])
        #expect(sections.map(\.options) == ["transport=legacy", ""])
        #expect(XFSTestsFolder.section(for: "uring-percore") == "uring_percore")
    }

    @Test func watchdogTakesStepAfterStep() {
        var watchdog = XFSTestsWatchdog(limit: 0, grace: 0)
        #expect(watchdog.due() == .aborted)
        #expect(watchdog.due() == .killed)
        #expect(watchdog.due() == .given)
        #expect(watchdog.due() == nil)
        var patient = XFSTestsWatchdog(limit: 100, grace: 0)
        #expect(patient.due() == nil)
    }

    @Test func timeLimits() {
        var plan = XFSTestsPlan(
            checkout: "/x", sections: ["legacy"], options: [:], tests: ["a/1", "a/2"], kernel: "6.18.1")
        plan.quick = ["a/1"]
        #expect(plan.limit(for: "a/1", known: nil) == 600 && plan.limit(for: "a/2", known: nil) == 1200)
        #expect(plan.limit(for: "a/1", known: 2) == 120 && plan.limit(for: "a/1", known: 30) == 300)
        plan.testTimeout = 5
        #expect(plan.limit(for: "a/1", known: 30) == 5)
    }
}
