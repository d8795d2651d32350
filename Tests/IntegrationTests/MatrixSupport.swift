import BenchCore
import Foundation
import TestMatrix
import Testing

/// A matrix of stand-in suites in a folder of its own: the real program, without a mount. The suites are shell scripts that say
/// what they are told to, so that a test knows what must come out.
final class StandInMatrix {
    let folder: String

    /// - Parameters:
    ///   - suites: scripts by name; `$1` is the target, `$2` the output folder, `$3` the seed.
    init(_ suites: KeyValuePairs<String, String>) throws {
        folder = NSTemporaryDirectory() + "/fstestkit-matrix-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var file = "suites: [\(suites.map(\.key).joined(separator: ", "))]\nown-suites:\n"
        for (name, script) in suites {
            try (StandInMatrix.prologue + script).write(
                toFile: "\(folder)/\(name).sh", atomically: true, encoding: .utf8)
            file += "  - name: \(name)\n    command: \"bash \(folder)/\(name).sh {target} {output} {seed}\"\n"
        }
        try file.write(toFile: folder + "/fstestkit.yaml", atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// `say_started AREA NAME` and `say_finished AREA NAME VERDICT [MESSAGE [EVIDENCE]]`.
    private static let prologue = """
        say_started() { echo "{\\"event\\":\\"started\\",\\"area\\":\\"$1\\",\\"name\\":\\"$2\\"}"; }
        say_finished() {
            local evidence='[]'
            if [ -n "${5:-}" ]; then evidence="[\\"$5\\"]"; fi
            echo "{\\"event\\":\\"finished\\",\\"result\\":{\\"suite\\":\\"s\\",\\"target\\":\\"t\\",\\"area\\":\\"$1\\",\\"name\\":\\"$2\\",\\
        \\"verdict\\":\\"$3\\",\\"seconds\\":0.01,\\"message\\":\\"${4:-}\\",\\"evidence\\":$evidence}}"
        }

        """.replacing("\\\n", with: "")

    /// Thirty tests at a quick pace; some fail or are skipped, by the seed alone.
    static let steady = """
        echo '{"event":"planned","count":30}'
        status=0
        for ((i = 1; i <= 30; i++)); do
            say_started "area $((i % 4))" "test $i"
            sleep 0.02
            verdict=passed message=
            if (((i * 7 + $3) % 11 == 0)); then verdict=failed message="seed $3"; fi
            if (((i * 5 + $3) % 13 == 0)); then verdict=skipped message="not today"; fi
            if [ $verdict = failed ]; then status=1; fi
            say_finished "area $((i % 4))" "test $i" "$verdict" "$message"
        done
        exit $status
        """

    struct Ended {
        let status: Int32
        let output: String
    }

    func start(_ arguments: [String], environment: [String: String] = [:], output: String? = nil) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Mounting.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let path = output ?? folder + "/log-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = FileHandle(forWritingAtPath: path)
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    @discardableResult
    func run(_ arguments: String...) throws -> Ended {
        let path = folder + "/log-\(UUID().uuidString)"
        let process = try start(arguments, output: path)
        process.waitUntilExit()
        return Ended(status: process.terminationStatus, output: try String(contentsOfFile: path, encoding: .utf8))
    }

    /// The last run of a folder of results.
    func report(_ output: String = "fstestkit-results") throws -> RunReport {
        let store = try MatrixSession.store(in: folder + "/" + output, mustExist: true)
        return try RunReport(try store.run(named: "last"), from: store)
    }

    /// All that must not depend on when and how often it was run.
    static func essence(_ report: RunReport) -> [String] {
        report.cells.flatMap { cell in
            ["\(cell.record.cell.key) \(cell.record.state) \(cell.record.reason) \(cell.record.seed)"]
                + cell.results.map { "  \($0.area)/\($0.name) \($0.verdict) \($0.message) \($0.evidence)" }
        }
    }
}
