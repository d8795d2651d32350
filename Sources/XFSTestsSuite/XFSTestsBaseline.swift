import Glibc
public import SystemPackage

/// Expected results for one kernel, transport and backing filesystem: one line for each test, in order, so that a change
/// reads well in `git diff`.
///
/// ```
/// generic/001 pass 4s
/// generic/050 fail 1s  # kernel: FUSE has no …
/// generic/049 notrun  # requires …
/// ```
public struct XFSTestsBaseline: Sendable, Equatable {
    public struct Expectation: Sendable, Equatable {
        public var outcome: XFSTestsOutcome
        /// Whole seconds; nil where the test does not run.
        public var seconds: Int?
        /// Why, by hand for failures; the test's own words for what does not run.
        public var note: String

        public init(_ outcome: XFSTestsOutcome, seconds: Int? = nil, note: String = "") {
            self.outcome = outcome
            self.seconds = seconds
            self.note = note
        }
    }

    public enum Problem: Error, Sendable, Equatable {
        case malformed(line: Int)
    }

    /// Comment lines at the top, without the `#`.
    public var header: [String]
    public var tests: [String: Expectation]

    public init(header: [String] = [], tests: [String: Expectation] = [:]) {
        self.header = header
        self.tests = tests
    }

    public init(_ text: String) throws(Problem) {
        self.init()
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let comment = line.firstIndex(of: "#")
            let words = line[..<(comment ?? line.endIndex)].split(separator: " ").map(String.init)
            let note = comment.map { String(line[line.index(after: $0)...].drop(while: { $0 == " " })) } ?? ""
            if words.isEmpty {
                if comment != nil && tests.isEmpty { header.append(note) }
                continue
            }
            guard words.count >= 2, let outcome = XFSTestsOutcome(rawValue: words[1]) else {
                throw .malformed(line: number)
            }
            let seconds = words.count > 2 ? Int(words[2].prefix(while: \.isNumber)) : nil
            tests[words[0]] = Expectation(outcome, seconds: seconds, note: note)
        }
    }

    public var text: String {
        var lines = header.map { "# \($0)" }
        for name in tests.keys.sorted(by: XFSTestsBaseline.precedes) {
            let test = tests[name]!
            var line = "\(name) \(test.outcome.rawValue)"
            if let seconds = test.seconds { line += " \(seconds)s" }
            if !test.note.isEmpty { line += "  # \(test.note)" }
            lines.append(line)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Takes over what a run has seen. What it did not run stays, and so do notes on failures and times that are still
    /// about right, so that only what changed shows up as a difference.
    public mutating func update(with summaries: [XFSTestsSummary.Test]) {
        for test in summaries where test.outcome != .excluded {
            let old = tests[test.name]
            var new = Expectation(test.outcome)
            if test.outcome.isExecuted {
                new.seconds = Int(test.seconds.rounded(.up))
                if let before = old?.seconds, let now = new.seconds, now <= before * 2 + 2, before <= now * 2 + 2 {
                    new.seconds = before
                }
            }
            if test.outcome == .pass {
                new.note = ""
            } else if let old, old.outcome == test.outcome, test.outcome != .notrun, !old.note.isEmpty {
                new.note = old.note
            } else {
                let reason = XFSTestsSummary.general(test.reason)
                new.note = String(reason.prefix(160).map { $0 == "#" || $0 == "\n" ? " " : $0 })
            }
            tests[test.name] = new
        }
    }

    /// By directory, then by number.
    static func precedes(_ a: String, _ b: String) -> Bool {
        func key(_ name: String) -> (Substring, Int, String) {
            let slash = name.firstIndex(of: "/") ?? name.startIndex
            return (name[..<slash], Int(name[slash...].filter(\.isNumber)) ?? 0, name)
        }
        return key(a) < key(b)
    }

    /// The file for this kernel: `6.18/uring_percore-ext4`.
    public static func fileName(kernel: String, section: String, backing: String) -> FilePath {
        let numbers = kernel.split(separator: ".").prefix(2).joined(separator: ".")
        return FilePath("\(numbers)/\(section)-\(backing)")
    }
}
