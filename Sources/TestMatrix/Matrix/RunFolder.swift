import BenchCore
import Foundation
import Glibc

/// A run's folder, below the store's: evidence, logs, and the lock of the bench that works in it.
public struct RunFolder: Sendable {
    /// Absolute.
    public let path: String
    private let lock: Int32

    /// Makes the folder and takes its lock, which goes with this process.
    ///
    /// - Returns: nil if another bench works in it.
    public init?(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else { throw StoreError.notWritable(path, String(cString: strerror(errno))) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            return nil
        }
    }

    /// Writes down which ledger this bench has, so that a resume can clean up after it.
    func note(ledger: String) {
        guard let file = fopen(path + "/ledgers", "ae") else { return }
        fputs(ledger + "\n", file)
        fclose(file)
    }

    /// Removes what killed benches of this run, and the suites that they had started, have left on the machine.
    ///
    /// - Returns: a line for each thing removed, and for each that could not be.
    func cleanUp() -> [String] {
        let text = (try? String(contentsOfFile: path + "/ledgers", encoding: .utf8)) ?? ""
        let ledgers = Set(text.split(separator: "\n").map(String.init))
        var suites: [ProcessID] = []
        var lines: [String] = []
        for cleaner in Cleaner.leftovers() where ledgers.contains(cleaner.run) {
            suites += cleaner.startedProcesses
            lines += RunFolder.lines(cleaner.clean())
        }
        return lines + RunFolder.cleanUp(after: suites)
    }

    /// Removes what these suites have left, once they are dead.
    static func cleanUp(after suites: [ProcessID]) -> [String] {
        Cleaner.leftovers().filter { cleaner in cleaner.bench.map(suites.contains) ?? false }.flatMap {
            lines($0.clean())
        }
    }

    private static func lines(_ report: Cleaner.Report) -> [String] {
        report.removed + report.failures.map { "left behind: \($0)" }
    }
}
