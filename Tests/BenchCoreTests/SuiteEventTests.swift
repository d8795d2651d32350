import Testing

@testable import BenchCore

@Suite struct SuiteEventTests {
    private let result = TestResult(
        suite: "correctness", target: "legacy", area: "rename", name: "over an open file", verdict: .failed,
        seconds: 0.25,
        message: "expected 0, got ENOENT", evidence: ["evidence/rename/log"])

    @Test func everyEventSurvivesItsLine() throws {
        let machine = SuiteMachine(
            kernel: "6.18", build: "#1 SMP", buildID: "0123456789abcdef", configuration: "fedcba98", commandLine: "a=b",
            emulator: "QEMU 10.0.2", accelerator: "tcg",
            processors: 2, memory: 1536)
        for event in [
            .planned(count: 12), .started(area: "rename", name: "a\nb"), .finished(result), .machine(machine),
        ] as [SuiteEvent] {
            let line = event.line
            #expect(line.last == UInt8(ascii: "\n"))
            #expect(line.dropLast().allSatisfy { $0 != UInt8(ascii: "\n") })
            #expect(try SuiteEvent(line: line) == event)
        }
    }

    @Test func otherLinesAreNoEvents() {
        for text in [
            "", "{}", "hello", #"{"event":"later"}"#, #"{"event":"planned"}"#, #"{"event":"planned","count":-1}"#,
            #"{"event":"planned","count":9223372036854775808}"#, #"{"event":"planned","count":1e300}"#,
            #"{"event":"started","area":"a","name":""}"#,
        ] {
            #expect(throws: SuiteEvent.Malformed.self) { try SuiteEvent(line: text.utf8) }
        }
    }
}
