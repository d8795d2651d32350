import BenchCore
import CBench
import CLinux
import Foundation
import Glibc

/// The process that touches what is tested: does one task after the other as the bench names them.
///
/// It has no threads, so that checks may fork, and it is all that is lost when a mount hangs.
public enum Worker {
    /// Serves tasks from standard input until it ends. Never returns in time if the mount hangs: the bench kills it.
    public static func run() throws {
        cbench_die_with_parent()
        signal(SIGPIPE, SIG_IGN)
        umask(0o022)
        while let line = readLine() {
            let task = try JSONDecoder().decode(WorkerTask.self, from: Data(line.utf8))
            let start = cbench_now()
            var end = perform(task)
            end.seconds = Double(cbench_now() - start) / 1e9
            report(.end(end))
        }
    }

    /// Says one line to the bench.
    static func report(_ report: WorkerReport) {
        guard var line = try? JSONEncoder().encode(report) else { return }
        line.append(10)
        line.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = write(STDOUT_FILENO, bytes.baseAddress! + done, bytes.count - done)
                if count <= 0 { exit(1) }
                done += count
            }
        }
    }

    private static func perform(_ task: WorkerTask) -> TaskEnd {
        do {
            switch task {
            case .prepare(let place):
                for directory in [place.directory, place.plain].compactMap({ $0 }) {
                    try FS.mkdir(Path(directory), 0o755)
                }
                var end = TaskEnd(verdict: .passed, message: "", seconds: 0)
                if place.traits.losesFeatures {
                    end.survey = try? PlaceSurvey(Path(place.directory), source: place.source.map { Path($0) })
                }
                return end
            case .check(let name, let place, let seed): return runCheck(name, place, seed)
            case .differential(let task): return try DifferentialRun(task).run()
            case .concurrent(let task): return try ConcurrentRun(task).run()
            case .integrity(let task): return try IntegrityLoad(task).run()
            case .verify(let task): return try IntegrityLoad(task).verify()
            case .cleanUp(let place):
                for directory in [place.directory, place.plain].compactMap({ $0 }) { FS.removeTree(Path(directory)) }
                return TaskEnd(verdict: .passed, message: "", seconds: 0)
            }
        } catch let skip as CheckSkipped {
            return TaskEnd(verdict: .skipped, message: skip.missing, seconds: 0)
        } catch {
            return TaskEnd(verdict: .failed, message: "\(error)", seconds: 0)
        }
    }

    /// Runs a check in a child, so that a trap in it, or what it leaves behind, touches no other.
    private static func runCheck(_ name: String, _ place: WorkPlace, _ seed: UInt64) -> TaskEnd {
        guard let check = CheckList.check(named: name) else {
            return TaskEnd(verdict: .crashed, message: "there is no check \(name)", seconds: 0)
        }
        let directory = Path(place.directory) / Path(name)
        let context = CheckContext(
            source: place.source.map { Path($0) / Path(name) }, seed: seed, traits: place.traits, name: name)
        do {
            try FS.mkdir(directory, 0o755)
            defer { FS.removeTree(directory) }
            let child = try Child(name) {
                try FS.chdir(directory)
                for need in check.needs {
                    switch need {
                    case .root: if getuid() != 0 { throw CheckSkipped("needs root") }
                    case .source:
                        if place.source == nil { throw CheckSkipped("the directory behind the mount is not known") }
                    case .feature(let feature): try context.require(feature)
                    }
                }
                try check.body(context)
            }
            var end = child.end()
            // What a check did behind the mount itself may take its time to show on it.
            if end.verdict == .passed, let source = context.source, !check.needs.contains(.source),
                place.traits.mirrored.contains(.content)
            {
                let comparison = SourceComparison(mount: directory, source: source, aspects: place.traits.mirrored)
                if let difference = comparison.lastingDifference() {
                    end.verdict = .failed
                    end.message = "behind the mount: \(difference)"
                }
            }
            return end
        } catch {
            return TaskEnd(verdict: .failed, message: "\(error)", seconds: 0)
        }
    }
}

extension Child {
    /// Waits for its end as that of a whole check.
    func end() -> TaskEnd {
        let (code, message) = result()
        switch code {
        case 0: return TaskEnd(verdict: .passed, message: "", seconds: 0)
        case Child.failed: return TaskEnd(verdict: .failed, message: message, seconds: 0)
        case Child.skipped: return TaskEnd(verdict: .skipped, message: message, seconds: 0)
        default:
            let how = code < 0 ? "signal \(-code)" : "exit status \(code)"
            return TaskEnd(verdict: .crashed, message: "the check ended with \(how)", seconds: 0)
        }
    }
}
