import BenchCore
import Foundation

@testable import TestMatrix

/// A folder that goes with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/fstestkit-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    func store() throws -> Store { try Store(path: path + "/results.sqlite") }
}

extension Machine {
    static let some = Machine(
        name: "bench", architecture: "x86_64", processor: "CPU", processors: 2, memory: 1 << 33, system: "Linux")
}

extension RunRecord {
    static func some(
        _ id: String, day: Int = 0, kernel: String = "6.18.0", seed: UInt64 = 7, shard: String? = nil
    ) -> RunRecord {
        RunRecord(
            id: id, started: Date(timeIntervalSince1970: 1_790_000_000 + Double(day) * 86400), tool: "0.1.0",
            kernel: kernel,
            machine: .some, environment: ["CI": "true"], commandLine: ["fstestkit", "matrix"], seed: seed, shard: shard,
            folder: "runs/" + id)
    }
}

extension TestResult {
    static func some(
        _ area: String, _ name: String, _ verdict: Verdict = .passed, target: String = "legacy",
        suite: String = "correctness", seconds: Double = 0.1, message: String = "", evidence: [String] = []
    ) -> TestResult {
        TestResult(
            suite: suite, target: target, area: area, name: name, verdict: verdict, seconds: seconds, message: message,
            evidence: evidence)
    }
}

extension Store {
    /// Records a finished run with these results, each cell by its suite and target.
    @discardableResult
    func record(_ run: RunRecord, _ results: [TestResult], leftOut: [Cell] = []) throws -> RunReport {
        let places = results.map { Cell(suite: $0.suite, target: $0.target) }.uniqued()
        var records = places.enumerated().map { CellRecord(cell: $1, position: $0, seed: run.seed) }
        for cell in leftOut {
            records.append(
                CellRecord(
                    cell: cell, position: records.count, state: .leftOut, reason: "not on this kernel", seed: run.seed))
        }
        let (recorded, cells) = try begin(run, cells: records)
        for var cell in cells where cell.state == .planned {
            let own = results.filter { $0.suite == cell.cell.suite && $0.target == cell.cell.target }
            try append(own, to: cell, position: 0)
            cell.state = .finished
            cell.started = run.started
            cell.seconds = own.reduce(0) { $0 + $1.seconds }
            try update(cell)
        }
        let ended = try end(recorded, state: .finished, at: run.started + 60)
        return try RunReport(ended, from: self)
    }
}

extension SuiteMachine {
    static func some(_ kernel: String) -> SuiteMachine {
        SuiteMachine(
            kernel: kernel, build: "#1 SMP", commandLine: "console=ttyS0", emulator: "QEMU 10.0.2", accelerator: "tcg",
            processors: 2, memory: 1536)
    }
}

/// A run on the machine's kernel and on two guests', of which the last fails a test.
func reportOnKernels(_ store: Store, _ id: String = "20260102-000000-0001", day: Int = 0) throws -> RunReport {
    let kernels: [(name: String?, release: String, verdict: Verdict)] = [
        (nil, "", .passed), ("6.18", "6.18.15", .passed), ("7.3", "7.3.4", .crashed),
    ]
    let records = kernels.enumerated().map { index, kernel in
        CellRecord(
            cell: Cell(suite: "stop-path", kernel: kernel.name, target: "legacy"), position: index, seed: 7,
            machine: kernel.name.map { _ in .some(kernel.release) })
    }
    let (recorded, cells) = try store.begin(.some(id, day: day), cells: records)
    for (var cell, kernel) in zip(cells, kernels) {
        let result = TestResult.some("kill", "kill/1", kernel.verdict, target: cell.cell.track, suite: "stop-path")
        try store.append([result], to: cell, position: 0)
        cell.state = .finished
        try store.update(cell)
    }
    return try RunReport(try store.end(recorded, state: .finished, at: recorded.started + 60), from: store)
}

/// A report with every verdict in it, and text that no format may stumble over.
func motleyReport(_ store: Store) throws -> RunReport {
    try store.record(
        .some("20260101-000000-0001"),
        [
            .some("rename", "over an open file"),
            .some("rename", "a|b <c> & \"d\" 'e' ]]> \u{1}", .failed, message: "expected 0,\ngot <ENOENT> | `x`"),
            .some("locks", "between processes", .hung, message: "no answer in 30 s"),
            .some("locks", "of a dead process", .crashed, target: "uring-single", message: "SIGSEGV"),
            .some("acl", "inheritance", .skipped, target: "uring-single", message: "the filesystem behind has no ACL"),
            .some("names", "日本語 😀", target: "uring-single", seconds: 61.5),
        ],
        leftOut: [Cell(suite: "xfstests", target: "legacy")])
}
