/// A line for a terminal: pieces of text, each with a style, cut to a width.
struct StyledLine {
    enum Style: String {
        case plain = ""
        case strong = "1"
        case faint = "2"
        case good = "32"
        case bad = "1;31"
        case active = "36"
    }

    private(set) var pieces: [(text: String, style: Style)] = []

    init(_ text: String = "", _ style: Style = .plain) {
        add(text, style)
    }

    mutating func add(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { pieces.append((StyledLine.printable(text), style)) }
    }

    /// Fills up with blanks to this column.
    mutating func pad(to column: Int) {
        let missing = column - width
        if missing > 0 { pieces.append((String(repeating: " ", count: missing), .plain)) }
    }

    var width: Int { pieces.reduce(0) { $0 + StyledLine.width($1.text) } }

    /// The text with escape sequences, at most `limit` columns wide; what is cut off leaves an ellipsis.
    func rendered(limit: Int, color: Bool) -> String {
        var result = ""
        var left = limit
        let isTooLong = width > limit
        if isTooLong { left -= 1 }
        for (text, style) in pieces where left > 0 {
            var part = ""
            for character in text {
                let columns = StyledLine.width(character)
                if columns > left { left = 0 }
                if left == 0 { break }
                part.append(character)
                left -= columns
            }
            result += color && style != .plain ? "\u{1b}[\(style.rawValue)m\(part)\u{1b}[0m" : part
        }
        return isTooLong && limit > 0 ? result + "…" : result
    }

    /// Control characters would move the cursor.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// Columns of a character: two for the East Asian blocks and for pictures, else one.
    static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
