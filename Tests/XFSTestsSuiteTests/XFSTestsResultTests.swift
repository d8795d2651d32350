import Glibc
import SystemPackage
import Testing

@testable import BenchCore
@testable import XFSTestsSuite

/// Lists, baselines, journal and comparison.
@Suite struct XFSTestsResultTests {
    private func record(
        _ name: String, _ outcome: XFSTestsOutcome, cycle: Int = 1, attempt: Int = 0, seconds: Double = 1,
        reason: String = "", section: String = "legacy"
    ) -> XFSTestsRecord {
        XFSTestsRecord(
            key: XFSTestsKey(cycle: cycle, section: section, name: name, attempt: attempt), outcome: outcome,
            seconds: seconds, reason: reason)
    }

    private let plan = XFSTestsPlan(
        checkout: "/x", sections: ["legacy"], options: [:], tests: ["g/1", "g/2"], kernel: "6.18.1")

    @Test func excludeLists() throws {
        var excludes = XFSTestsExcludes(has: { _ in false })
        try excludes.read("# Why.\n# blame: kernel\ngeneric/001  # panics\n", list: "panic")
        #expect(excludes.entries["generic/001"]?.blame == "kernel")
        #expect(excludes.entries["generic/001"]?.reason == "panics")
        let limits = "# blame: environment\n# unless: CAP_SYS_RESOURCE\ngeneric/003  # raises a limit\n"
        try excludes.read(limits, list: "limits")
        #expect(excludes.entries["generic/003"]?.blame == "environment")
        var mighty = XFSTestsExcludes(has: { $0 == 24 })
        try mighty.read(limits, list: "limits")
        #expect(mighty.entries.isEmpty)
        #expect(throws: XFSTestsExcludes.Problem.self) {
            try mighty.read("# unless: CAP_SYS_RESOURCES\n", list: "limits")
        }
        #expect(throws: XFSTestsExcludes.Problem.self) { try excludes.read("generic/002 # no blame\n", list: "x") }
        #expect(throws: XFSTestsExcludes.Problem.self) { try excludes.read("# blame: us\ngeneric/002\n", list: "x") }
    }

    @Test func theProjectsOwnListsAreWellFormed() throws {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let folder = XFSTestsFolder(root.appending("xfstests-config"))
        _ = try folder.excludes()
        #expect(folder.sections.count >= 12)
        for kernel in names(in: folder.path.appending("baselines").string) {
            for name in names(in: folder.path.appending("baselines/\(kernel)").string) {
                let text = try #require(contents(of: folder.path.appending("baselines/\(kernel)/\(name)").string))
                #expect(try XFSTestsBaseline(text).text == text, "\(kernel)/\(name) is not as the tool writes it")
            }
        }
    }

    @Test func baselineRoundTrip() throws {
        let text =
            "# head\ngeneric/002 pass 4s\ngeneric/010 fail 1s  # kernel: so it is\ngeneric/100 notrun  # no device\n"
        let baseline = try XFSTestsBaseline(text)
        #expect(baseline.text == text)
        #expect(baseline.tests["generic/010"] == .init(.fail, seconds: 1, note: "kernel: so it is"))
        #expect(throws: XFSTestsBaseline.Problem.malformed(line: 1)) { try XFSTestsBaseline("generic/001 perhaps\n") }
    }

    @Test func updatingChangesOnlyWhatChanged() throws {
        var baseline = try XFSTestsBaseline("g/1 pass 10s\ng/2 fail 3s  # kernel: known\ng/3 pass 1s\n")
        let summary = XFSTestsSummary(
            section: "legacy",
            records: [
                record("g/1", .pass, seconds: 14), record("g/2", .fail, seconds: 3, reason: "other words"),
                record("g/4", .notrun, reason: "no # device"),
            ])
        baseline.update(with: summary.tests)
        #expect(
            baseline.text == "g/1 pass 10s\ng/2 fail 3s  # kernel: known\ng/3 pass 1s\ng/4 notrun  # no   device\n")
    }

    @Test func failuresOfSeveralExecutions() {
        let summary = XFSTestsSummary(
            section: "legacy",
            records: [
                record("g/1", .fail, reason: "why"), record("g/1", .pass, attempt: 1), record("g/1", .pass, attempt: 2),
                record("g/2", .fail), record("g/2", .fail, attempt: 1), record("g/3", .hung), record("g/4", .notrun),
                record("g/5", .excluded), record("g/6", .pass), record("g/6", .notrun, cycle: 2),
            ])
        #expect(summary.tests.map(\.outcome) == [.flaky, .fail, .hung, .notrun, .excluded, .pass])
        #expect(summary.tests[0].reason == "failed 1 of 3: why")
        #expect(summary.executed == 4)
    }

    @Test func comparison() throws {
        let baseline = try XFSTestsBaseline(
            "g/1 pass 1s\ng/2 fail 1s\ng/3 fail 1s\ng/4 pass 1s\ng/5 pass 2s\ng/6 flaky 1s\n")
        let summary = XFSTestsSummary(
            section: "legacy",
            records: [
                record("g/1", .fail), record("g/2", .fail), record("g/3", .pass), record("g/4", .notrun),
                record("g/5", .pass, seconds: 40), record("g/6", .fail), record("g/7", .hung),
            ])
        let result = XFSTestsComparison(summary, baseline: baseline)
        #expect(result.newFailures.map(\.test.name) == ["g/1", "g/7"])
        #expect(result.expectedFailures.map(\.test.name) == ["g/2", "g/6"])
        #expect(result.fixed.map(\.test.name) == ["g/3"])
        #expect(result.newlyNotRun.map(\.test.name) == ["g/4"])
        #expect(result.slower.map(\.test.name) == ["g/5"])
        #expect(result.unknown.map(\.test.name) == ["g/7"])
        #expect(!result.isAsExpected)
    }

    @Test func theJournalNamesTheVictim() throws {
        let folder = FilePath("/tmp/fstestkit-journal-\(getpid())")
        defer { _ = try? ChildProcess.spawn(["rm", "-r", folder.string]).wait(.seconds(10)) }
        do {
            let journal = try XFSTestsJournal(output: folder, plan: plan)
            journal.begin(record("g/1", .pass).key)
            journal.end(record("g/1", .pass))
            journal.begin(record("g/2", .pass).key)
        }
        #expect(throws: Errno.fileExists) { try XFSTestsJournal(output: folder, plan: plan) }
        // A power cut in the middle of a line.
        let file = try FileDescriptor.open(folder.appending(XFSTestsJournal.name), .writeOnly, options: .append)
        _ = try file.closeAfter { try file.writeAll("{\"ended\":{".utf8) }
        let journal = try XFSTestsJournal(resuming: folder)
        #expect(journal.records.map(\.outcome) == [.pass, .crashed])
        #expect(journal.records[1].key.name == "g/2")
        let again = try XFSTestsJournal(resuming: folder)
        #expect(again.records.count == 2)
        #expect(again.isDone(record("g/2", .pass).key))
    }

    @Test func theOrderIsTheSeeds() {
        var plan = plan
        plan.tests = (1...50).map { "g/\($0)" }
        #expect(plan.order(cycle: 1) == plan.tests)
        plan.shuffleSeed = 7
        #expect(plan.order(cycle: 1) == plan.order(cycle: 1))
        #expect(plan.order(cycle: 1) != plan.order(cycle: 2))
        #expect(Set(plan.order(cycle: 2)) == Set(plan.tests))
    }

    @Test func helperArguments() throws {
        let helper = try DaemonHelper(
            command: "d -f -o {options} {source} {mountpoint}",
            arguments: ["dev", "/m", "-o", "rw,nodev,source=/s,allow_other", "-t", "x"])
        #expect(helper.words == ["d", "-f", "-o", "fsname=dev,nodev,allow_other", "/s", "/m"])
        #expect(throws: DaemonHelper.Problem.self) { try DaemonHelper(command: "d", arguments: ["dev", "/m"]) }
        let full = ["dev", "/m", "-o", "source=/s"]
        #expect(throws: DaemonHelper.Problem.self) { try DaemonHelper(command: "d", arguments: full + ["-N", "1"]) }
        // A command that cannot be started is not: the mount is only pretended.
        try DaemonHelper(command: "/nonexistent/d", arguments: full + ["-sfv"]).mount()
        #expect(throws: DaemonHelper.Problem.self) {
            try DaemonHelper(command: "/nonexistent/d", arguments: full + ["-sv"]).mount()
        }
    }

    @Test func xml() {
        #expect(XFSTestsReport.escape("a<b>&\"\u{1}") == "a&lt;b&gt;&amp;&quot; ")
    }
}
