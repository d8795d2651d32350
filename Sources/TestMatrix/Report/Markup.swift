/// A piece of XML or HTML. What stands in this module's source is markup, and what is interpolated into it is text, which cannot be
/// taken for markup: there is no other way to make one.
struct Markup: ExpressibleByStringInterpolation, Sendable {
    private(set) var text: String

    /// Literals alone, by their type: no string that was made while the program runs.
    init(stringLiteral literal: StaticString) {
        text = literal.description
    }

    init(stringInterpolation interpolation: Interpolation) {
        text = interpolation.text
    }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: StaticString) { text += literal.description }
        mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
        mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { text += part.text } }
        mutating func appendInterpolation(_ words: some StringProtocol) { text += Markup.escaped(words) }
        mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }

        /// ` one="1" two="2"`. Those without a value are left out.
        mutating func appendInterpolation(attributes: KeyValuePairs<StaticString, String?>) {
            for (name, value) in attributes {
                if let value { text += " \(name)=\"\(Markup.escaped(value))\"" }
            }
        }

        /// A file that this module carries, as it is.
        mutating func appendInterpolation(resource bytes: [UInt8]) { text += String(decoding: bytes, as: UTF8.self) }
    }

    static func + (one: Markup, other: Markup) -> Markup { "\(one)\(other)" }
    static func += (one: inout Markup, other: Markup) { one.text += other.text }

    /// Makes text safe as content and as an attribute's value. What XML 1.0 cannot hold at all becomes U+FFFD.
    private static func escaped(_ text: some StringProtocol) -> String {
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
}
