import Foundation
import SystemPackage
import Testing

@testable import BenchCore

/// What people and the programs of a CI read.
@Suite struct WordsTests {
    @Test(
        arguments: [
            ("build/daemon -f {source}", "daemon"), ("env build/daemon", "daemon"),
            ("/usr/bin/env -i A=b C= /opt/daemon {source}", "daemon"), ("env", "daemon"), ("environ -f", "environ"),
        ])
    func aDaemonIsCalledByItsProgram(_ command: String, _ name: String) {
        #expect(Target(.command(command)).label == name)
    }

    @Test(
        arguments: [
            ("sh {source}", nil), ("/bin/sh", nil), ("env A=b x", nil), ("{source}/daemon", nil),
            ("no-such-daemon", "no-such-daemon"), ("/no/such/daemon -f", "/no/such/daemon"), ("/tmp", "/tmp"),
            ("/etc/passwd", "/etc/passwd"), ("", nil),
        ] as [(String, String?)])
    func aProgramThatIsNotThereIsNamed(_ command: String, _ missing: String?) {
        #expect(Target(.command(command)).missingProgram == missing)
    }

    @Test func filesOfEvidenceHaveNamesThatEverySystemTakes() throws {
        let root = FilePath(NSTemporaryDirectory()).appending("fstestkit-words-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: root.string) }
        let path = Evidence(root: root).below("a: \"b\"").save("what?|<x>*\n", "text")
        #expect(path == "evidence/a_ _b_/what___x___")
        #expect(try String(contentsOfFile: root.appending(path).string, encoding: .utf8) == "text")
    }

    @Test(
        arguments: [
            ("rename", "over an open file", "rename/over an open file"),
            ("idle-sigterm", "idle-sigterm/1", "idle-sigterm/1"),
            ("generic", "generic/001", "generic/001"), ("idle", "idle-sigterm/1", "idle/idle-sigterm/1"),
            ("guest", "guest", "guest"),
        ])
    func aTestIsNamedOnce(_ area: String, _ name: String, _ path: String) {
        #expect(TestResult.path(area: area, name: name) == path)
    }

    @Test func whatCannotBeWrittenIsKnown() {
        let keeping = ResultsKeeping()
        Evidence(root: "/dev/null/results", keeping: keeping).save("a", "text")
        #expect(keeping.loss?.error == .notDirectory)
        let lines = ResultsKeeping()
        ResultFile("/dev/null/results.jsonl", keeping: lines).append(
            TestResult(suite: "s", target: "t", area: "a", name: "n", verdict: .passed, seconds: 0))
        #expect(lines.loss?.path == "/dev/null/results.jsonl")
    }

    @Test func aMessageIsALine() {
        #expect(TestResult.line("a\nb") == "a b")
        #expect(TestResult.line(String(repeating: "x", count: 200)).count == 200)
        let long = TestResult.line(String(repeating: "x", count: 201))
        #expect(long.count == 200 && long.hasSuffix("x…"))
    }

    @Test func whatCameOfAStopIsASentence() {
        let report = StopReport(
            unmountError: .timedOut, exit: nil, isMountGone: false, isConnectionGone: true, seconds: 10.0004)
        #expect(
            "\(report)"
                == "the unmount failed: ETIMEDOUT, the daemon still runs, the mount is still there, after 10.0 s")
    }
}
