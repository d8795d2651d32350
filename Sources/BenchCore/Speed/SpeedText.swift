/// Numbers of the bench as people read them, the same everywhere.
public enum SpeedText {
    /// Three digits that count: `0.92`, `1.04`, `12.3`, `345`, `18,059`.
    public static func speed(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        if value >= 99.95 { return grouped(Int(value.rounded())) }
        return fixed(value, value >= 9.995 ? 1 : 2)
    }

    /// `0.92 (0.88–0.97)`; of a single round, which has no interval, `0.92`.
    public static func ratio(_ ratio: RatioEstimate) -> String {
        ratio.rounds < 2 ? speed(ratio.value) : "\(speed(ratio.value)) (\(speed(ratio.low))–\(speed(ratio.high)))"
    }

    /// `slower`, `no sure difference (± 4 %)`.
    public static func word(_ result: SpeedResult) -> String {
        guard result.word == .noDifference, let ratio = result.ratio else { return result.word.rawValue }
        return "\(result.word.rawValue) (± \(percent(ratio.reach)))"
    }

    /// `4 %`, `0.4 %`.
    public static func percent(_ share: Double) -> String {
        "\(fixed(share * 100, share < 0.01 ? 1 : 0)) %"
    }

    /// With so many decimals.
    public static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        let scale = (0..<decimals).reduce(1) { product, _ in product * 10 }
        let number = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && number > 0 ? "−" : ""
        if decimals == 0 { return sign + "\(number)" }
        let rest = "\(number % scale)"
        return sign + "\(number / scale)." + String(repeating: "0", count: decimals - rest.count) + rest
    }

    private static func grouped(_ number: Int) -> String {
        var digits = "\(number)"
        var result = ""
        while digits.count > 3 {
            result = "," + digits.suffix(3) + result
            digits.removeLast(3)
        }
        return digits + result
    }
}
