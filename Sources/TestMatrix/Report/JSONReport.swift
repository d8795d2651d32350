import BenchCore
import Foundation

/// A run as JSON, for programs. Keys are never renamed; new ones may come.
public struct JSONReport {
    private let report: RunReport

    public init(_ report: RunReport) {
        self.report = report
    }

    public func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(Document(report)), as: UTF8.self) + "\n"
    }

    private struct Document: Encodable {
        let version = 1
        let run: Run
        let standing: Standing
        let counts: Numbers
        let seconds: Double
        let cells: [CellDocument]

        init(_ report: RunReport) throws {
            run = try Run(report.run)
            standing = report.standing
            counts = Numbers(report.counts)
            seconds = report.seconds
            cells = report.cells.map(CellDocument.init)
        }
    }

    private struct Run: Encodable {
        let id: String
        let state: RunRecord.State
        let started: Date
        let finished: Date?
        let tool: String
        let kernel: String
        let machine: Machine
        let environment: [String: String]
        let commandLine: [String]
        let configuration: MatrixConfiguration?
        let seed: UInt64
        let shard: String?

        init(_ run: RunRecord) throws {
            id = run.id
            state = run.state
            started = run.started
            finished = run.finished
            tool = run.tool
            kernel = run.kernel
            machine = run.machine
            environment = run.environment
            commandLine = run.commandLine
            configuration = try? JSONColumn.value(MatrixConfiguration.self, run.configuration)
            seed = run.seed
            shard = run.shard
        }
    }

    private struct CellDocument: Encodable {
        let cell: Cell
        let key: String
        let state: CellRecord.State
        let standing: Standing
        let reason: String
        let seed: UInt64
        let command: [String]
        let started: Date?
        let seconds: Double
        let attempts: Int
        let log: String
        let machine: SuiteMachine?
        let counts: Numbers
        let results: [TestResult]

        init(_ report: CellReport) {
            cell = report.record.cell
            key = report.record.cell.key
            state = report.record.state
            standing = report.standing
            reason = report.record.reason
            seed = report.record.seed
            command = report.record.command
            started = report.record.started
            seconds = report.record.seconds
            attempts = report.record.attempts
            log = report.record.log
            machine = report.record.machine
            counts = Numbers(report.counts)
            results = report.results
        }
    }

    private struct Numbers: Encodable {
        let total, executed, passed, failed, skipped, hung, crashed: Int

        init(_ counts: Counts) {
            total = counts.total
            executed = counts.executed
            passed = counts.passed
            failed = counts.failed
            skipped = counts.skipped
            hung = counts.hung
            crashed = counts.crashed
        }
    }
}
