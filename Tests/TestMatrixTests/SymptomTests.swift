import BenchCore
import Testing

@testable import TestMatrix

@Suite struct SymptomTests {
    private func answer(_ symptom: String?, _ results: [TestResult]) throws -> Symptom.Answer {
        Symptom(symptom).answer(of: try TemporaryFolder().store().record(.some("r"), results))
    }

    private static func failed(_ checks: [String: String]) -> TestResult {
        var result = TestResult.some("idle-sigterm", "idle-sigterm/1", .failed, suite: "stop-path")
        result.checks = checks.sorted { $0.key < $1.key }.map {
            TestResult.Check(name: $0, title: "exit status", verdict: .failed, message: $1)
        }
        return result
    }

    private let passed = TestResult.some("idle-sigterm", "idle-sigterm/2", suite: "stop-path")

    @Test(arguments: ["X", "x", "Exit status", "still RUNS", "idle-sigterm/1"])
    func isSoughtByOracleMessageAndTest(_ symptom: String) throws {
        guard case .seen = try answer(symptom, [Self.failed(["X": "the daemon still runs"]), passed]) else {
            Issue.record("\(symptom) was not seen")
            return
        }
    }

    @Test(arguments: ["M", "R", "kernel log", "ended", "idle-sigterm/3"])
    func anotherFailureIsNotTheOneSought(_ symptom: String) throws {
        #expect(try answer(symptom, [Self.failed(["X": "the daemon still runs"]), passed]) == .absent)
    }

    @Test func withoutASymptomAnyFailureIs() throws {
        guard case .seen = try answer(nil, [Self.failed(["X": "it still runs"])]) else {
            Issue.record("not seen")
            return
        }
        #expect(try answer(nil, [passed]) == .absent)
    }

    /// What ends a run early, or is missing, says nothing about the symptom.
    @Test func whatCannotBeToldIsUnknown() throws {
        func isUnknown(_ symptom: String?, _ results: [TestResult]) throws -> Bool {
            if case .unknown = try answer(symptom, results) { return true }
            return false
        }
        let boot = TestResult.some("guest", "boots", .crashed, suite: "stop-path", message: "the kernel did not boot")
        #expect(try isUnknown(nil, [boot]))
        #expect(try isUnknown("boot", [boot]))
        let crash = TestResult.some("abort", "abort/1", .crashed, suite: "stop-path", message: "the kernel died: Oops")
        #expect(try isUnknown("X", [crash, passed]))
        #expect(try !isUnknown("oops", [crash, passed]))
        #expect(try isUnknown(nil, [TestResult.some("a", "b", .skipped)]))
        #expect(try isUnknown(nil, []))
    }
}
