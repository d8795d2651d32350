import LinuxSystem
import SystemPackage

/// A check found something wrong: what, what it expected and what it got.
struct CheckFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }

    init(_ what: String, expected: String, got: String, path: Path? = nil) {
        description = "\(what): expected \(expected), got \(got)" + (path.map { " (\($0))" } ?? "")
    }
}

/// A check cannot be made here; `missing` names the condition.
struct CheckSkipped: Error {
    var missing: String

    init(_ missing: String) {
        self.missing = missing
    }
}

/// Fails unless `condition` holds.
func expect(
    _ condition: Bool, _ what: @autoclosure () -> String, path: Path? = nil
) throws(CheckFailure) {
    if !condition { throw CheckFailure(what() + (path.map { " (\($0))" } ?? "")) }
}

/// Fails unless both are the same.
func expect<Value: Equatable>(
    _ what: String, _ got: Value, is expected: Value, path: Path? = nil
) throws(CheckFailure) {
    if got != expected { throw CheckFailure(what, expected: shown(expected), got: shown(got), path: path) }
}

/// Fails unless `got` lies within `range`.
func expect<Value: Comparable>(
    _ what: String, _ got: Value, in range: ClosedRange<Value>, path: Path? = nil
) throws(CheckFailure) {
    if !range.contains(got) {
        throw CheckFailure(what, expected: "\(range.lowerBound) to \(range.upperBound)", got: "\(got)", path: path)
    }
}

/// Fails unless `body` fails with one of `allowed`.
func fails<Value>(
    _ allowed: Errno..., what: String, _ body: () throws -> Value
) throws {
    let expected = allowed.map(\.name).joined(separator: " or ")
    do {
        _ = try body()
    } catch let error as CallError {
        if allowed.contains(error.errno) { return }
        throw CheckFailure(
            "\(what): \(error.call)", expected: expected, got: error.errno.name,
            path: error.path.bytes.isEmpty ? nil : error.path)
    }
    throw CheckFailure(what, expected: expected, got: "success")
}

/// Fails unless two runs of bytes are the same, and names the first that differs.
func expect(data got: [UInt8], is expected: [UInt8], _ what: String, path: Path? = nil) throws(CheckFailure) {
    if got == expected { return }
    if got.count != expected.count {
        throw CheckFailure("\(what): length", expected: "\(expected.count)", got: "\(got.count)", path: path)
    }
    let offset = zip(got, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
    throw CheckFailure(
        "\(what): byte at offset \(offset)", expected: "\(expected[offset])", got: "\(got[offset])", path: path)
}

private func shown<Value>(_ value: Value) -> String {
    // An empty list of something else would be one of bytes, too.
    if Value.self == [UInt8].self, let bytes = value as? [UInt8] {
        let start = bytes.prefix(24)
        let text =
            start.allSatisfy { $0 >= 0x20 && $0 < 0x7f } ? String(decoding: start, as: UTF8.self) : "\(Array(start))"
        return "\(bytes.count) bytes \"\(text)\""
    }
    if let errno = value as? Errno { return errno.name }
    // The same finding in the same words each time.
    if let names = value as? Set<Path> { return "[" + names.map { "\($0)" }.sorted().joined(separator: ", ") + "]" }
    return "\(value)"
}
