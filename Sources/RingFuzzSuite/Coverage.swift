/// Where scripts have been: which move has met which request in which state.
public struct Coverage: Sendable {
    /// Lines of opcode, state and move, with tabs between them.
    public private(set) var lines: Set<String> = []

    /// In the output folder, a line for each.
    public static let file = "coverage.tsv"

    public init() {}

    /// Adds lines.
    ///
    /// - Returns: those that are new, as text.
    @discardableResult
    public mutating func add(_ met: some Sequence<String>) -> String {
        met.sorted().filter { lines.insert($0).inserted }.map { $0 + "\n" }.joined()
    }

    /// A table in Markdown: moves by states, with the opcodes that were met.
    public var table: String {
        var cells: [String: [String: Set<String>]] = [:]
        for line in lines {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { continue }
            cells[fields[2], default: [:]][fields[1], default: []].insert(fields[0])
        }
        let states = Set(cells.values.flatMap(\.keys)).sorted()
        var text =
            "| move | " + states.joined(separator: " | ") + " |\n|---" + states.map { _ in "|---" }.joined() + "|\n"
        for (move, row) in cells.sorted(by: { $0.key < $1.key }) {
            let columns = states.map { (row[$0] ?? []).sorted().joined(separator: " ") }
            text += "| \(move) | " + columns.joined(separator: " | ") + " |\n"
        }
        return text
    }
}
