/// XML and HTML text.
enum Markup {
    /// Makes text safe as content and as an attribute's value. What XML 1.0 cannot hold at all becomes U+FFFD.
    static func escaped(_ text: some StringProtocol) -> String {
        if text.utf8.allSatisfy(isPlain) { return String(text) }
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n": result.unicodeScalars.append(scalar)
            case "\r": result += "\n"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
                result.unicodeScalars.append("\u{FFFD}")
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "&") && byte != UInt8(ascii: "<")
            && byte != UInt8(ascii: ">")
            && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "'")
    }

    /// `<name one="1" two="2">`. Attributes without a value are left out.
    static func open(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], isEmpty: Bool = false)
        -> String
    {
        var result = "<" + name
        for (key, value) in attributes {
            if let value { result += " \(key)=\"\(escaped(value))\"" }
        }
        return result + (isEmpty ? "/>" : ">")
    }
}
