import FoundationEssentials
import Glibc

/// Where a worker writes what it has seen: one violation a line, as JSON, on its standard output, which is a file.
struct Journal {
    private var written: [HostileSourceOracle: Int] = [:]
    /// Of each kind, for each worker: what comes after says nothing new.
    private static let most = 20

    mutating func record(_ oracle: HostileSourceOracle, _ what: @autoclosure () -> String) {
        let count = written[oracle, default: 0]
        guard count < Journal.most else { return }
        written[oracle] = count + 1
        guard var line = try? JSONEncoder().encode(Violation(oracle: oracle, what: what())) else { return }
        line.append(UInt8(ascii: "\n"))
        _ = line.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }

    /// What stands in a worker's file; lines that are something else are left out.
    static func read(_ text: String) -> [Violation] {
        text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Violation.self, from: Data($0.utf8)) }
    }
}
