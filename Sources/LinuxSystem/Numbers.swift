/// Numbers as people and files give them: in decimal digits, and within bounds that everything behind them can bear.
///
/// - Throws: ``NumberError`` for all else: no number, none that is finite, one out of bounds.
public enum Numbers {
    /// A whole number.
    public static func count(_ text: String, _ bounds: ClosedRange<Int>) throws(NumberError) -> Int {
        guard let number = Int(text), bounds.contains(number) else {
            throw NumberError(
                text: text, wanted: "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    /// Entries of each of the ring's queues.
    public static func depth(_ text: String) throws(NumberError) -> Int { try count(text, 1...4096) }

    /// A machine's CPUs.
    public static func cpus(_ text: String) throws(NumberError) -> Int { try count(text, 1...255) }

    /// A machine's NUMA nodes.
    public static func nodes(_ text: String) throws(NumberError) -> Int { try count(text, 1...64) }

    /// A machine's memory in MiB.
    public static func memory(_ text: String) throws(NumberError) -> Int { try count(text, 256...16_777_216) }

    /// How often something is done.
    public static func cycles(_ text: String) throws(NumberError) -> Int { try count(text, 1...100_000) }

    /// A span of time in seconds, fractions allowed.
    public static func seconds(_ text: String) throws(NumberError) -> Double { try seconds(text, from: 0.001) }

    /// - Parameter least: the shortest one that is taken.
    public static func seconds(_ text: String, from least: Double) throws(NumberError) -> Double {
        let bounds = least...longest
        guard let number = decimal(text), bounds.contains(number) else {
            throw NumberError(text: text, wanted: "seconds from \(plain(least)) to \(plain(longest))")
        }
        return number
    }

    /// How many times as much.
    public static func factor(_ text: String) throws(NumberError) -> Double {
        guard let number = decimal(text), number > 1, number <= 1_000_000 else {
            throw NumberError(text: text, wanted: "a factor above 1, up to 1000000")
        }
        return number
    }

    /// A process's exit status.
    public static func status(_ text: String) throws(NumberError) -> Int32 {
        Int32(try count(text, 0...255))
    }

    /// Where random choices begin.
    public static func seed(_ text: String) throws(NumberError) -> UInt64 {
        guard let number = UInt64(text) else {
            throw NumberError(text: text, wanted: "a whole number from 0 to \(UInt64.max)")
        }
        return number
    }

    /// Thirty years: no clock and no unit that seconds are turned into overflows.
    private static let longest = 1e9

    /// Without the C library's hexadecimal numbers and names.
    private static func decimal(_ text: String) -> Double? {
        text.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) } ? Double(text) : nil
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
}
