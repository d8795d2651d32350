import BenchCore
import Foundation
import LinuxSystem
import TestMatrix
import Testing

extension Mounting {
    /// The bench on real mounts: a run as small as can be, from the command line to the store.
    @Suite(.serialized, .enabled(if: isInstalled("fio"), "needs fio")) struct BenchTests {
        private let folder = NSTemporaryDirectory() + "/fstestkit-bench-\(UUID().uuidString)"

        private func bench(_ arguments: String...) throws -> (status: Int32, said: String) {
            let process = try start(arguments)
            process.waitUntilExit()
            return (process.terminationStatus, try String(contentsOfFile: folder + "/log", encoding: .utf8))
        }

        private func start(_ arguments: [String]) throws -> Process {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let log = folder + "/log"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Mounting.program)
            process.arguments = ["bench"] + arguments
            process.currentDirectoryURL = URL(fileURLWithPath: folder)
            process.standardOutput = FileHandle(forWritingAtPath: log)
            process.standardError = process.standardOutput
            try process.run()
            return process
        }

        /// Of this test: what was started names its folder.
        private func clients() -> Int {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return names.filter { name in
                let line = (try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8)) ?? ""
                let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/cwd")
                return Int32(name) != nil && line.hasPrefix("fio\0")
                    && place?.hasSuffix(URL(fileURLWithPath: folder).lastPathComponent) ?? false
            }.count
        }

        @Test func aTinyRunMeasuresAndTells() throws {
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let ended = try bench(
                "--transport", "legacy", "--job", "randread-4k-direct,create,rename,untar", "--clients", "2",
                "--rounds", "1",
                "--quick", "--seed", "1", "--output", folder + "/results")
            #expect(ended.status == 0, "\(ended)")
            let store = try MatrixSession.store(in: folder + "/results", mustExist: true)
            let report = try RunReport(try store.run(named: "last"), from: store)
            #expect(report.cells.map(\.record.cell.target) == ["legacy", "directory"])
            let results = report.cells[0].results
            #expect(results.map(\.name) == ["randread-4k-direct × 2", "create × 2", "rename", "untar"])
            for result in results {
                #expect(result.verdict == .passed, "\(result)")
                #expect(result.measurement?.values.count == 1 && (result.measurement?.median ?? 0) > 0)
                #expect(result.measurement?.reference?.subject == "directory")
            }
            let file = "\(folder)/results/\(report.run.folder)/bench.json"
            let record = try JSONDecoder().decode(
                SpeedRecord.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
            #expect(record.trials.allSatisfy { $0.failure == nil && $0.value != nil })
            // A warm-up and a round.
            #expect(record.trials.count == 2 * 4 * 2)
            let costs = try #require(record.costs(job: 0, subject: 0))
            #expect(costs.daemonUser + costs.daemonSystem > 0.5)
            // What the client asks beside its reads weighs the more the fewer there are: a busy machine had 1.31. Counted twice would be 2.
            #expect(costs.requestsPerOperation.map { (0.7...1.7).contains($0) } ?? true, "\(costs)")
            #expect(costs.way ?? "/dev/fuse" == "/dev/fuse")
        }

        @Test func somebodysFileIsAJob() throws {
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try "[mine]\nrw=read\nbs=64k\nsize=4m\nioengine=psync\n".write(
                toFile: folder + "/mine.fio", atomically: true, encoding: .utf8)
            let ended = try bench(
                "--transport", "legacy", "--job", "mine.fio", "--rounds", "1", "--json", "--output", "out")
            #expect(ended.status == 0, "\(ended)")
            #expect(ended.said.contains(#""name":"mine #"#) && ended.said.contains(#""verdict":"passed""#))
        }

        /// timeout(1) sends a signal twice, to its child and to its group: that is one wish, and no client outlives it.
        @Test func aSignalEndsItsClientsToo() throws {
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try "[long]\nrw=read\nbs=4k\nsize=4m\ntime_based\nruntime=1000\n".write(
                toFile: folder + "/long.fio", atomically: true, encoding: .utf8)
            let process = try start(["--transport", "legacy", "--job", "long.fio", "--rounds", "1"])
            #expect(Deadline(after: .seconds(60)).wait { clients() > 0 })
            kill(process.processIdentifier, SIGTERM)
            kill(process.processIdentifier, SIGTERM)
            process.waitUntilExit()
            #expect(process.terminationStatus == 128 + SIGTERM)
            #expect(clients() == 0)
            let said = try String(contentsOfFile: folder + "/log", encoding: .utf8)
            #expect(said.contains("it was interrupted"), "\(said)")
        }

        /// What cannot be measured fails, with the reason, and nothing stays mounted.
        @Test func aDaemonThatDoesNotMountIsAFailure() throws {
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let ended = try bench(
                "--daemon", "none=false {source} {mountpoint}", "--job", "rename", "--rounds", "1", "--json",
                "--output", "out")
            #expect(ended.status == 1, "\(ended)")
            #expect(ended.said.contains("the daemon ended before it mounted: exit status 1"))
        }
    }
}
