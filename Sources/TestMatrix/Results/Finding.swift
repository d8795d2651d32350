public import BenchCore

/// What names a finding: what asked, and what it said but for the numbers. A daemon with one defect has one of these, however many
/// tests stumble over it.
public struct FindingName: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    public var suite: String
    /// An oracle, or for a suite without oracles the test.
    public var check: String
    /// The message without what differs from one time to the next.
    public var message: String

    public init(suite: String, check: String, message: String) {
        self.suite = suite
        self.check = check
        self.message = message
    }

    /// `stop-path/X exit status: the daemon ended with exit status N, expected was a clean exit status`.
    public var description: String { "\(suite)/\(check)" + (message.isEmpty ? "" : ": \(message)") }

    public static func < (one: FindingName, other: FindingName) -> Bool { one.description < other.description }

    /// Everything that a failed result found.
    static func all(of result: TestResult) -> [(name: FindingName, message: String)] {
        let checks = (result.checks ?? []).filter(\.verdict.isFailure)
        if checks.isEmpty {
            // What a random part stumbles over first is another thing each time.
            let isRandom = result.suite == "hostile-source" || ["random", "integrity"].contains(result.area)
            let name = FindingName(
                suite: result.suite, check: result.isCycle ? result.area : result.path,
                message: isRandom ? "" : MessageClass(result.message).text)
            return [(name, result.message)]
        }
        return checks.map { check in
            let name = FindingName(
                suite: result.suite, check: check.label, message: MessageClass(check.message).text)
            return (name, check.message)
        }
    }
}

extension TestResult {
    /// It is one of several cycles of a scenario (`idle-sigterm/2`). Each draws its own lots, and the first of one run has nothing to do
    /// with the first of another.
    var isCycle: Bool { name.hasPrefix(area + "/") && Int(name.dropFirst(area.count + 1)) != nil }
}

/// A message without what differs from one time to the next: numbers, paths, and all that comes after the first sentence.
struct MessageClass: Hashable {
    let text: String

    /// Words of a class.
    private static let most = 24

    init(_ message: String) {
        // The first of several causes.
        let first = message.prefix { $0 != ";" && $0 != "\n" && $0 != "|" }
        text = first.split(separator: " ").prefix(MessageClass.most).map(MessageClass.plain).joined(separator: " ")
    }

    /// A word without its numbers; `PATH` for `(/tmp/source/a)`.
    private static func plain(_ word: Substring) -> String {
        if word.contains("/") { return "PATH" }
        var result = ""
        var isNumber = false
        for character in word {
            if !character.isNumber {
                result.append(character)
            } else if !isNumber {
                result.append("N")
            }
            isNumber = character.isNumber
        }
        return result
    }
}

/// One thing that is wrong, with all that shows it.
public struct Finding: Sendable {
    public let name: FindingName
    /// Where it was seen, in the order of the run.
    public let places: [Place]
    /// The worst of the verdicts there.
    public let worst: Verdict
    /// The tests and cells that show it, each once.
    public let tests: [String]
    public let cells: [String]
    /// Of the first place that has some, and of the one that took longest, if that is another.
    public let firstEvidence: [String]
    public let worstEvidence: [String]
    /// Why it does not count; nil if it does.
    public let acceptance: Acceptance?

    /// A result of the run, by the positions of its cell and of itself.
    public struct Place: Sendable, Hashable {
        public var cell: Int
        public var result: Int
        /// What was said there.
        public var message: String
    }

    /// `12 times, in 12 tests of 3 cells`.
    public var extent: String {
        Format.count(places.count, "time") + ", in " + Format.count(tests.count, "test") + " of "
            + Format.count(cells.count, "cell")
    }

    /// All that is wrong: the worst first, then what is seen most often; what is accepted last.
    static func all(in cells: [CellReport], accepting acceptances: [Acceptance]) -> [Finding] {
        var places: [FindingName: [Place]] = [:]
        for (position, cell) in cells.enumerated() {
            for (index, result) in cell.results.enumerated() where result.verdict.isFailure {
                for (name, message) in FindingName.all(of: result) {
                    places[name, default: []].append(Place(cell: position, result: index, message: message))
                }
            }
        }
        return places.map { Finding($0, $1, in: cells, acceptances) }.sorted { one, other in
            if (one.acceptance == nil) != (other.acceptance == nil) { return one.acceptance == nil }
            if one.worst != other.worst { return one.worst.worse(other.worst) == one.worst }
            if one.places.count != other.places.count { return one.places.count > other.places.count }
            return one.name < other.name
        }
    }

    private init(_ name: FindingName, _ places: [Place], in cells: [CellReport], _ acceptances: [Acceptance]) {
        let results = places.map { cells[$0.cell].results[$0.result] }
        let targets = places.map { cells[$0.cell].record.cell.target }.uniqued()
        let covering = targets.map { target in acceptances.first { $0.covers(name, on: target) } }
        let evident = results.filter { !$0.evidence.isEmpty }
        let first = evident.first?.evidence ?? []
        let worst = evident.max { $0.seconds < $1.seconds }?.evidence ?? []
        self.name = name
        self.places = places
        self.worst = results.map(\.verdict).reduce(.failed) { $0.worse($1) }
        tests = results.map(\.path).uniqued()
        self.cells = places.map { cells[$0.cell].record.cell.key }.uniqued()
        firstEvidence = first
        worstEvidence = worst == first ? [] : worst
        acceptance = covering.contains(nil) ? nil : covering.first ?? nil
    }

    /// What covers all that a failed result of this target found; empty if something of it is not accepted.
    static func acceptances(of result: TestResult, on target: String, _ all: [Acceptance]) -> [Acceptance] {
        guard result.verdict.isFailure else { return [] }
        let covering = FindingName.all(of: result).map { name, _ in all.first { $0.covers(name, on: target) } }
        return covering.contains(nil) ? [] : covering.compactMap(\.self)
    }
}
