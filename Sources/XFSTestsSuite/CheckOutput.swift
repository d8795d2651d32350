/// Reads what xfstests' `check` prints, as it comes.
///
/// `check` prints a test's name without a newline before it runs, and the result behind it; the lines of a failure follow,
/// indented. Only names that were asked for open a new test, so that no line of a failure is taken for one.
struct CheckOutput {
    enum Event: Equatable {
        case began(String)
        case ended(String, CheckVerdict)
        /// The summary has begun: no test follows.
        case finished
    }

    private var expected: Set<String>
    private var pending = ""
    /// The name at the beginning of the pending line was seen already.
    private var isNameSeen = false
    private var current: (name: String, text: String)?
    /// What came outside of any test: the configuration, or why it did not start.
    private(set) var preamble = ""

    init(tests: [String]) {
        expected = Set(tests)
    }

    /// The test that runs, if any.
    var running: String? { current?.name }

    mutating func take(_ text: String) -> [Event] {
        pending += text
        var events: [Event] = []
        while let end = pending.firstIndex(of: "\n") {
            let line = String(pending[..<end])
            pending = String(pending[pending.index(after: end)...])
            take(line: line, &events)
            isNameSeen = false
        }
        // Only the name comes without a newline for long.
        if !isNameSeen, let name = name(at: pending) {
            open(name, &events)
            isNameSeen = true
        }
        return events
    }

    /// What is known of the running test once no more can come.
    mutating func end() -> Event? {
        guard let test = current else { return nil }
        current = nil
        return .ended(test.name, CheckVerdict(test.text + pending))
    }

    private mutating func take(line: String, _ events: inout [Event]) {
        if isNameSeen {
            let nameLength = current?.name.count ?? 0
            current?.text += line.dropFirst(nameLength) + "\n"
        } else if let name = name(at: line) {
            open(name, &events)
            current?.text += line.dropFirst(name.count) + "\n"
        } else if CheckOutput.summary.contains(where: { line.hasPrefix($0) }) {
            close(&events)
            if !events.contains(.finished) { events.append(.finished) }
        } else if current != nil {
            current?.text += line + "\n"
        } else {
            preamble += line + "\n"
        }
    }

    private static let summary = ["Ran: ", "Not run: ", "Failures: ", "Passed all ", "Interrupted!"]

    private func name(at line: String) -> String? {
        let word = String(line.prefix { !$0.isWhitespace })
        return expected.contains(word) ? word : nil
    }

    private mutating func open(_ name: String, _ events: inout [Event]) {
        close(&events)
        expected.remove(name)
        current = (name, "")
        events.append(.began(name))
    }

    private mutating func close(_ events: inout [Event]) {
        guard let test = current else { return }
        current = nil
        events.append(.ended(test.name, CheckVerdict(test.text)))
    }
}

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
