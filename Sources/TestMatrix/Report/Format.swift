import Foundation

/// Numbers and times as people read them; the same in every format.
enum Format {
    /// `0.25 s`, `12 s`, `3 min 05 s`, `2 h 10 min`.
    static func duration(_ seconds: Double) -> String {
        // A suite's or a file's word is not to be trusted: neither infinite nor longer than an Int can count.
        let seconds = seconds.isFinite ? min(max(seconds, 0), 1e9) : 0
        let whole = Int(seconds.rounded())
        if seconds < 9.95 { return String(format: seconds < 0.095 ? "%.3f s" : "%.1f s", seconds) }
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return String(format: "%d min %02d s", whole / 60, whole % 60) }
        return String(format: "%d h %02d min", whole / 3600, whole / 60 % 60)
    }

    /// `2026-11-24 13:55 UTC`.
    static func moment(_ date: Date) -> String {
        format(date, "yyyy-MM-dd HH:mm") + " UTC"
    }

    static func day(_ date: Date) -> String { format(date, "yyyy-MM-dd") }

    /// ISO 8601 without a zone, in UTC, as JUnit wants it.
    static func timestamp(_ date: Date) -> String { format(date, "yyyy-MM-dd'T'HH:mm:ss") }

    private static func format(_ date: Date, _ pattern: String) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = pattern
        return formatter.string(from: date)
    }

    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }

    static func memory(_ bytes: UInt64) -> String {
        String(format: "%.1f GiB", Double(bytes) / Double(1 << 30))
    }
}
