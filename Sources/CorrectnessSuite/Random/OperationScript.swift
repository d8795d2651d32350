/// Sequences as text: one operation on each line, to be read, kept and replayed.
enum OperationScript {
    static let header = "# fstestkit differential sequence"

    /// The script of a sequence; `comment` says what it shows.
    static func text(_ operations: [Operation], comment: [String]) -> String {
        ([header] + comment.map { "# \($0)" } + operations.map(line)).joined(separator: "\n") + "\n"
    }

    /// The line of one operation.
    static func line(_ operation: Operation) -> String {
        func name(_ number: Int) -> String { quoted(OperationNames.all[number]) }
        let octal = String(operation.first, radix: 8)
        let range = "\(operation.first) \(operation.second)"
        let rest: String =
            switch operation.kind {
            case .create, .exclusive, .mkdir, .mknod, .chmod: "\(name(operation.subject)) \(octal)"
            case .symlink: "\(name(operation.subject)) \(operation.first)"
            case .link: "\(name(operation.subject)) \(name(operation.other))"
            case .rename: "\(name(operation.subject)) \(name(operation.other)) \(operation.first)"
            case .unlink, .rmdir, .stat, .list, .readlink, .listxattr: name(operation.subject)
            case .access, .truncate: "\(name(operation.subject)) \(operation.first)"
            case .chown, .times, .read: "\(name(operation.subject)) \(range)"
            case .write, .append: "\(name(operation.subject)) \(range) \(operation.third)"
            case .setxattr: "\(name(operation.subject)) \(operation.other) \(range) \(operation.third)"
            case .getxattr, .removexattr: "\(name(operation.subject)) \(operation.other)"
            case .open: "\(operation.other) \(name(operation.subject)) \(operation.first)"
            case .pread, .pwrite, .fallocate, .lock: "\(operation.subject) \(range) \(operation.third)"
            case .copyrange: "\(operation.subject) \(operation.other) \(range) \(operation.third)"
            case .ftruncate, .flock: "\(operation.subject) \(operation.first)"
            case .fstat, .fsync, .close: "\(operation.subject)"
            case .user: "\(operation.first)"
            }
        return "\(operation.kind.rawValue) \(rest)"
    }

    /// Reads a script back.
    ///
    /// - Throws: `CheckFailure` with the number of the line that is none.
    static func parse(_ text: String) throws(CheckFailure) -> [Operation] {
        var operations: [Operation] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(separator: " ").map(String.init)
            if words.isEmpty || words[0].hasPrefix("#") { continue }
            guard let operation = parse(words) else {
                throw CheckFailure("line \(number + 1) is no operation: \(line)")
            }
            operations.append(operation)
        }
        return operations
    }

    private static func parse(_ words: [String]) -> Operation? {
        guard let kind = Operation.Kind(rawValue: words[0]) else { return nil }
        var operation = Operation(kind: kind)
        var rest = words.dropFirst()
        func name() -> Int? { rest.popFirst().flatMap { word in OperationNames.all.firstIndex { quoted($0) == word } } }
        func number(_ radix: Int = 10) -> Int64? { rest.popFirst().flatMap { Int64($0, radix: radix) } }
        func numbers(_ count: Int) -> Bool {
            for index in 0..<count {
                guard let value = number() else { return false }
                if index == 0 {
                    operation.first = value
                } else if index == 1 {
                    operation.second = value
                } else {
                    operation.third = value
                }
            }
            return true
        }
        func slot(_ path: WritableKeyPath<Operation, Int>) -> Bool {
            guard let value = number() else { return false }
            operation[keyPath: path] = Int(value)
            return true
        }
        func named(_ path: WritableKeyPath<Operation, Int>) -> Bool {
            guard let value = name() else { return false }
            operation[keyPath: path] = value
            return true
        }
        let isGood: Bool =
            switch kind {
            case .create, .exclusive, .mkdir, .mknod, .chmod:
                named(\.subject)
                    && { if let mode = number(8) { operation.first = mode; return true } else { return false } }()
            case .symlink, .access, .truncate: named(\.subject) && numbers(1)
            case .link: named(\.subject) && named(\.other)
            case .rename: named(\.subject) && named(\.other) && numbers(1)
            case .unlink, .rmdir, .stat, .list, .readlink, .listxattr: named(\.subject)
            case .chown, .times, .read: named(\.subject) && numbers(2)
            case .write, .append: named(\.subject) && numbers(3)
            case .setxattr: named(\.subject) && slot(\.other) && numbers(3)
            case .getxattr, .removexattr: named(\.subject) && slot(\.other)
            case .open: slot(\.other) && named(\.subject) && numbers(1)
            case .pread, .pwrite, .fallocate, .lock: slot(\.subject) && numbers(3)
            case .copyrange: slot(\.subject) && slot(\.other) && numbers(3)
            case .ftruncate, .flock: slot(\.subject) && numbers(1)
            case .fstat, .fsync, .close: slot(\.subject)
            case .user: numbers(1)
            }
        return isGood && rest.isEmpty ? operation : nil
    }

    /// A name as one word: what is not plain is escaped, and a long run of one letter is counted.
    private static func quoted(_ path: Path) -> String {
        if path.bytes.count > 100, let last = path.bytes.last {
            let run = path.bytes.reversed().prefix { $0 == last }.count
            return Path(bytes: Array(path.bytes.dropLast(run))).description + "{\(UnicodeScalar(last))*\(run)}"
        }
        return path.description
    }
}
