import BenchCore
import Glibc

/// Follows the file that a suite's standard output goes to. A file, not a pipe: it survives both ends, and nobody blocks on it.
struct EventFile {
    private let descriptor: Int32
    private var rest: [UInt8] = []
    private var lines = 0
    /// The first line that was no event, and why: what it should have told is lost.
    private(set) var problem: String?

    /// - Parameter path: made if it is not there.
    init?(path: String) {
        descriptor = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return nil }
    }

    func close() { Glibc.close(descriptor) }

    /// What was written since the last time, whole lines only.
    mutating func read() -> [SuiteEvent] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var events: [SuiteEvent] = []
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return events }
            rest += buffer[..<count]
            var start = 0
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                take(rest[start..<end], &events)
                start = end + 1
            }
            rest.removeFirst(start)
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>, _ events: inout [SuiteEvent]) {
        lines += 1
        if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { return }
        do throws(SuiteEvent.Malformed) {
            events.append(try SuiteEvent(line: line))
        } catch {
            note(line, "is no event: \(error.what)")
        }
    }

    /// The writer has ended, and nothing more comes.
    mutating func end() {
        if rest.isEmpty { return }
        lines += 1
        note(rest[...], "has no end")
        rest = []
    }

    private mutating func note(_ line: ArraySlice<UInt8>, _ what: String) {
        problem = problem ?? "line \(lines) of its events \(what): \(String(decoding: line.prefix(120), as: UTF8.self))"
    }
}
