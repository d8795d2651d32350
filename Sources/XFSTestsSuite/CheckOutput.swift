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
