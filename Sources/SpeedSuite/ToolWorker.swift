import BenchCore
import CBench
import FoundationEssentials
import Glibc

/// A client of a mount that does what fio has no engine for: a process of its own, since a mount may hang.
public struct ToolWorker {
    /// What it says at its end, as JSON.
    struct Report: Codable {
        var operations: Int
        var seconds: Double
        var failures: Int
    }

    private let work: ToolWork
    private let folder: String

    /// - Parameter words: the work and the folder; nil if they are none.
    public init?(_ words: [String]) {
        guard words.count == 2, let work = ToolWork(rawValue: words[0]), work.program == nil else { return nil }
        (self.work, folder) = (work, words[1])
    }

    static func command(_ work: ToolWork, folder: String, program: String) -> [String] {
        [program, "bench-worker", work.rawValue, folder]
    }

    /// Works, and says on standard output what came of it.
    public func run() {
        let start = ContinuousClock.now
        let (operations, failures) = work == .list ? ToolWorker.list(folder) : rename()
        let report = Report(
            operations: operations, seconds: (ContinuousClock.now - start).seconds, failures: failures)
        guard let data = try? JSONEncoder().encode(report) else { return }
        print(String(decoding: data, as: UTF8.self))
    }

    private static func list(_ folder: String) -> (operations: Int, failures: Int) {
        guard let stream = opendir(folder) else { return (0, 1) }
        defer { closedir(stream) }
        var (operations, failures) = (0, 0)
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix(while: { $0 != 0 }), as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            if fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW) != 0 { failures += 1 }
            operations += 1
            if status.st_mode & S_IFMT == S_IFDIR {
                let below = list(folder + "/" + name)
                operations += below.operations
                failures += below.failures
            }
        }
        return (operations, failures)
    }

    private func rename() -> (operations: Int, failures: Int) {
        var failures = 0
        for file in 0..<ToolFiles.renamed where Glibc.rename("\(folder)/a\(file)", "\(folder)/b\(file)") != 0 {
            failures += 1
        }
        return (ToolFiles.renamed, failures)
    }
}
