import LinuxSystem

/// What a daemon, its clients and the world do, one move after the other.
public struct Script: Hashable, Sendable {
    /// From which it was drawn; of a shrunk one, from which the whole was drawn.
    public var seed: UInt64
    public var moves: [Move]

    public init(seed: UInt64, moves: [Move]) {
        (self.seed, self.moves) = (seed, moves)
    }

    /// A line for each move; what follows a `#` is for people.
    public var text: String { "seed \(seed)\n" + moves.map { $0.text + "\n" }.joined() }

    /// Reads a script.
    ///
    /// - Throws: ``ScriptError`` with the line.
    public init(_ text: String) throws(ScriptError) {
        self.init(seed: 0, moves: [])
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.prefix { $0 != "#" }.trimming { $0 == " " || $0 == "\t" }
            if line.isEmpty { continue }
            do throws(ScriptError) {
                try take(line)
            } catch {
                throw ScriptError(error.what, line: index + 1)
            }
        }
        if moves.isEmpty { throw ScriptError("a script has at least one move") }
    }

    private mutating func take(_ line: Substring) throws(ScriptError) {
        guard line.hasPrefix("seed ") else { return moves.append(try Move(line)) }
        guard let seed = UInt64(line.dropFirst("seed ".count)) else {
            throw ScriptError("'\(line)' names no seed: it is a whole number")
        }
        self.seed = seed
    }

    /// Everything in it that is not as the protocol has it, and what its clients do, each as `verb field=value`.
    public var peculiarities: Set<String> { Set(moves.flatMap(\.peculiarities).filter { $0.contains("=") }) }
}

extension Substring {
    fileprivate func trimming(_ isBlank: (Character) -> Bool) -> Substring {
        var rest = self
        while let first = rest.first, isBlank(first) { rest.removeFirst() }
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
