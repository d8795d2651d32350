import BenchCore
import LinuxSystem
import SystemPackage

/// One operation of a concurrent sequence, on the names of one directory.
struct ConcurrentOperation: Equatable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case create, mkdir, unlink, rmdir, rename, move, exchange, link, stat
    }

    var kind: Kind
    var one = 0
    var other = 0
    /// Tells what this operation makes from what others make: it goes into the mode.
    var tag = 0

    /// The names: `n0` to `n3`.
    static let names = 4

    var line: String {
        switch kind {
        case .create, .mkdir: "\(kind.rawValue) n\(one) \(String(tag, radix: 8))"
        case .rename, .move, .exchange, .link: "\(kind.rawValue) n\(one) n\(other)"
        default: "\(kind.rawValue) n\(one)"
        }
    }

    /// Reads a line back; nil if it is none.
    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count >= 2, let kind = Kind(rawValue: String(words[0])),
            let one = ConcurrentOperation.name(words[1])
        else { return nil }
        self.kind = kind
        self.one = one
        if words.count > 2 {
            if kind == .create || kind == .mkdir {
                tag = Int(words[2], radix: 8) ?? 0
            } else {
                other = ConcurrentOperation.name(words[2]) ?? 0
            }
        }
    }

    init(_ kind: Kind, _ one: Int, _ other: Int = 0, tag: Int = 0) {
        self.kind = kind
        self.one = one
        self.other = other
        self.tag = tag
    }

    private static func name(_ word: some StringProtocol) -> Int? {
        guard word.hasPrefix("n"), let number = Int(word.dropFirst()), number < names else { return nil }
        return number
    }
}

/// A directory as the man pages describe it: what names stand for, and what each operation does to them.
///
/// All operations take effect at one moment, but for link(2), which finds the file first and makes the name later.
struct ConcurrentModel: Hashable {
    /// A file or directory, by the tag it was made with.
    struct Object: Hashable {
        var tag: Int
        var isDirectory: Bool
    }

    /// What each name stands for.
    var names: [Object?] = Array(repeating: nil, count: ConcurrentOperation.names)

    /// What an operation came to: an errno, or for `stat` the object's tag.
    struct Outcome: Hashable {
        var errno: CInt = 0
        var tag = 0

        static func fails(_ errno: Errno) -> Outcome { Outcome(errno: errno.rawValue) }
        var description: String {
            errno == 0 ? (tag == 0 ? "success" : "success, tag \(String(tag, radix: 8))") : Errno(rawValue: errno).name
        }
    }

    /// Carries an operation out. For `link`, `found` is what the first name stood for earlier.
    mutating func perform(_ operation: ConcurrentOperation, found: Object? = nil) -> Outcome {
        let one = names[operation.one]
        let other = names[operation.other]
        switch operation.kind {
        case .create, .mkdir:
            if one != nil { return .fails(.fileExists) }
            names[operation.one] = Object(tag: operation.tag, isDirectory: operation.kind == .mkdir)
        case .unlink:
            guard let one else { return .fails(.noSuchFileOrDirectory) }
            if one.isDirectory { return .fails(.isDirectory) }
            names[operation.one] = nil
        case .rmdir:
            guard let one else { return .fails(.noSuchFileOrDirectory) }
            if !one.isDirectory { return .fails(.notDirectory) }
            names[operation.one] = nil
        case .rename:
            guard let one else { return .fails(.noSuchFileOrDirectory) }
            // Two names of one file: nothing is to be done.
            if operation.one == operation.other || one == other { return Outcome() }
            if let other {
                if other.isDirectory && !one.isDirectory { return .fails(.isDirectory) }
                if one.isDirectory && !other.isDirectory { return .fails(.notDirectory) }
            }
            names[operation.other] = one
            names[operation.one] = nil
        case .move:
            guard let one else { return .fails(.noSuchFileOrDirectory) }
            if other != nil { return .fails(.fileExists) }
            names[operation.other] = one
            names[operation.one] = nil
        case .exchange:
            guard let one, let other else { return .fails(.noSuchFileOrDirectory) }
            names[operation.one] = other
            names[operation.other] = one
        case .link:
            guard let found else { return .fails(.noSuchFileOrDirectory) }
            if other != nil { return .fails(.fileExists) }
            if found.isDirectory { return .fails(.notPermitted) }
            // The last name of it may have gone meanwhile.
            if !names.contains(found) { return .fails(.noSuchFileOrDirectory) }
            names[operation.other] = found
        case .stat:
            guard let one else { return .fails(.noSuchFileOrDirectory) }
            return Outcome(tag: one.tag)
        }
        return Outcome()
    }
}

/// Whether what several processes saw, and what they left, can come from some order of their operations.
struct AllowedOutcomes {
    let sequences: [[ConcurrentOperation]]
    let outcomes: [[ConcurrentModel.Outcome]]
    let final: ConcurrentModel

    /// A point of the search: the names, how far each process is, and what its link(2) has found.
    private struct Point: Hashable {
        var model: ConcurrentModel
        var done: [Int]
        var found: [ConcurrentModel.Object??]
    }

    /// - Returns: true if there is an order from `start` that gives all that was seen.
    func contain(from start: ConcurrentModel) -> Bool {
        var visited: Set<Point> = []
        var stack = [Point(model: start, done: sequences.map { _ in 0 }, found: sequences.map { _ in nil })]
        while let point = stack.popLast() {
            if !visited.insert(point).inserted { continue }
            var isEnd = true
            for process in sequences.indices where point.done[process] < sequences[process].count {
                isEnd = false
                if let next = step(point, process) { stack.append(next) }
            }
            if isEnd && point.model == final { return true }
        }
        return false
    }

    private func step(_ point: Point, _ process: Int) -> Point? {
        var next = point
        let operation = sequences[process][point.done[process]]
        if operation.kind == .link, point.found[process] == nil {
            next.found[process] = .some(point.model.names[operation.one])
            return next
        }
        let found = point.found[process] ?? nil
        guard next.model.perform(operation, found: found) == outcomes[process][point.done[process]] else { return nil }
        next.done[process] += 1
        next.found[process] = nil
        return next
    }
}
