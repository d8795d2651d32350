import FoundationEssentials
import Glibc

/// What a suite says while it runs: with `--json`, one of these a line on standard output, and nothing else there. Words for
/// people go to standard error.
///
/// The matrix starts each suite as a process and reads this, so a suite that crashes or hangs has lost nothing that it had
/// said. Any program that speaks it can be a suite of the matrix; `docs/ci.md` says how.
public enum SuiteEvent: Sendable, Hashable {
    /// So many results will come, as far as is known. May be said again.
    case planned(count: Int)
    /// This test has begun. If the suite dies, it is to blame.
    case started(area: String, name: String)
    /// This test has ended. Its evidence is relative to the suite's `--output`.
    case finished(TestResult)
    /// What it runs on. Said for it, when it runs in a guest.
    case machine(SuiteMachine)
}

extension SuiteEvent: Codable {
    private enum Kind: String, Codable { case planned, started, finished, machine }
    private enum CodingKeys: String, CodingKey { case event, count, area, name, result, machine }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Kind.self, forKey: .event) {
        case .planned: self = .planned(count: try container.decode(Int.self, forKey: .count))
        case .started:
            self = .started(
                area: try container.decode(String.self, forKey: .area),
                name: try container.decode(String.self, forKey: .name))
        case .finished: self = .finished(try container.decode(TestResult.self, forKey: .result))
        case .machine: self = .machine(try container.decode(SuiteMachine.self, forKey: .machine))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .planned(let count):
            try container.encode(Kind.planned, forKey: .event)
            try container.encode(count, forKey: .count)
        case .started(let area, let name):
            try container.encode(Kind.started, forKey: .event)
            try container.encode(area, forKey: .area)
            try container.encode(name, forKey: .name)
        case .finished(let result):
            try container.encode(Kind.finished, forKey: .event)
            try container.encode(result, forKey: .result)
        case .machine(let machine):
            try container.encode(Kind.machine, forKey: .event)
            try container.encode(machine, forKey: .machine)
        }
    }

    /// The event as a line of JSON, its end included.
    public var line: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and numbers only: encoding them cannot fail.
        guard let data = try? encoder.encode(self) else { return [] }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    /// Reads a line.
    ///
    /// - Throws: ``Malformed`` if it is no event, or one with something that cannot be: a negative count, a time that never ends,
    ///   a test without a name.
    public init(line: some Collection<UInt8>) throws(Malformed) {
        guard String(validating: line, as: UTF8.self) != nil else { throw Malformed("it is not UTF-8") }
        do {
            self = try JSONDecoder().decode(SuiteEvent.self, from: Data(line))
        } catch DecodingError.keyNotFound(let key, _) {
            throw Malformed("it has no '\(key.stringValue)'")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw Malformed("its '\(SuiteEvent.name(context.codingPath))' is of another kind")
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw Malformed("its '\(SuiteEvent.name(context.codingPath))' cannot be")
        } catch {
            throw Malformed("it is no JSON")
        }
        try check()
    }

    /// What is wrong with a line.
    public struct Malformed: Error, Hashable, Sendable {
        public let what: String

        init(_ what: String) { self.what = what }
    }

    private static func name(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }

    private func check() throws(Malformed) {
        switch self {
        case .planned(let count): if count < 0 || count > 10_000_000 { throw Malformed("its 'count' cannot be") }
        case .machine: break
        case .started(_, let name): if name.isEmpty { throw Malformed("its 'name' is empty") }
        case .finished(let result):
            if result.name.isEmpty { throw Malformed("its 'result.name' is empty") }
            if !(0...1e9).contains(result.seconds) { throw Malformed("its 'result.seconds' cannot be") }
        }
    }

    /// Says it on standard output, in one piece.
    public func emit() {
        var rest = line[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            // Nobody listens any more: the suite ends by other means, or goes on for its output folder.
            if written <= 0 && errno != EINTR { return }
            rest = rest.dropFirst(max(0, written))
        }
    }
}
