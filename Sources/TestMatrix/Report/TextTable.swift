/// A table in plain text: columns as wide as their widest cell, numbers to the right.
public struct TextTable {
    private let headings: [String]
    private var rows: [[String]] = []

    public init(_ headings: String...) {
        self.headings = headings
    }

    public init(headings: [String]) {
        self.headings = headings
    }

    public mutating func add(_ cells: [String]) { rows.append(cells) }

    public var isEmpty: Bool { rows.isEmpty }

    /// The lines, without trailing blanks. No column but the last is cut short; the last one is where `width` is given.
    public func lines(width: Int? = nil) -> [String] {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                if column > 0 { line += "  " }
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line +=
                    cell.first?.isNumber == true && column > 0 && column < row.count - 1
                    ? padding + cell : cell + padding
            }
            while line.last == " " { line.removeLast() }
            return width.map { line.count > $0 ? String(line.prefix($0 - 1)) + "…" : line } ?? line
        }
    }

    public func text(width: Int? = nil) -> String { lines(width: width).joined(separator: "\n") }
}
