/// What `check` says of one test.
struct CheckVerdict: Equatable {
    var outcome: XFSTestsOutcome
    /// One line.
    var reason: String

    init(_ outcome: XFSTestsOutcome, _ reason: String = "") {
        self.outcome = outcome
        self.reason = reason
    }

    /// - Parameter text: all that was printed behind the test's name.
    init(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let first = CheckVerdict.withoutLastTime(lines.first ?? "")
        if let range = first.firstRange(of: "[not run]") {
            self.init(.notrun, CheckVerdict.trim(first[range.upperBound...]))
        } else if first.contains("[expunged]") {
            self.init(.excluded, "named by an exclude list")
        } else if first.contains("no such test?") {
            self.init(.notrun, "no such test")
        } else if CheckVerdict.isTime(CheckVerdict.trim(first)) {
            self.init(.pass)
        } else {
            self.init(.fail, CheckVerdict.failure(first, lines.dropFirst()))
        }
    }

    /// The test's time in the last run stands first: ` 2s ... `.
    private static func withoutLastTime(_ line: String) -> String {
        guard let range = line.firstRange(of: "s ... "), trim(line[..<range.lowerBound]).allSatisfy(\.isNumber) else {
            return line
        }
        return String(line[range.upperBound...])
    }

    /// `12s`
    private static func isTime(_ text: String) -> Bool {
        text.last == "s" && text.count > 1 && text.dropLast().allSatisfy(\.isNumber)
    }

    /// The first line, and the first line of the difference that says what came instead.
    private static func failure(_ first: String, _ rest: ArraySlice<String>) -> String {
        var parts: [String] = []
        // Paths of this run's scratch folder tell nothing.
        let head = trim(first.firstRange(of: " (see ").map { first[..<$0.lowerBound] } ?? first[...])
        if !head.isEmpty { parts.append(head.hasPrefix("- ") ? String(head.dropFirst(2)) : head) }
        let changes = rest.map { trim($0[...]) }.filter { line in
            line.count > 1 && (line.hasPrefix("+") || line.hasPrefix("-")) && !line.hasPrefix("+++")
                && !line.hasPrefix("---")
        }
        if let change = changes.first(where: { $0.hasPrefix("+") }) ?? changes.first {
            parts.append(String(change.prefix(200)))
        } else if let line = rest.map({ trim($0[...]) }).first(where: { !$0.isEmpty }), changes.isEmpty {
            parts.append(String(line.prefix(200)))
        }
        return parts.isEmpty ? "failed, without a word" : parts.joined(separator: ": ")
    }

    private static func trim(_ text: Substring) -> String {
        let start = text.firstIndex { !$0.isWhitespace } ?? text.endIndex
        let end = text[start...].lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? start
        return String(text[start..<end])
    }

    private static func trim(_ text: String) -> String { trim(text[...]) }
}
