/// What a kernel has said on its console.
package struct ConsoleText {
    private var bytes: [UInt8] = []
    /// Of a talkative kernel the beginning goes.
    private static let longest = 4 << 20

    mutating func append(_ more: some Collection<UInt8>) {
        bytes += more
        if bytes.count > 2 * Self.longest { bytes.removeFirst(bytes.count - Self.longest) }
    }

    private var lines: [String] {
        String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }

    func tail(_ count: Int) -> [String] { lines.suffix(count) }

    /// With which a kernel begins to say that it dies.
    private static let signs = [
        "Kernel panic", "Oops: ", "kernel BUG at", "BUG: unable to handle", "BUG: kernel NULL",
        "general protection fault",
        "Unable to handle kernel", "BUG: KASAN",
    ]

    /// The line with which a report says what happened, without the kernel's time.
    package static func headline(of report: [String]) -> String? {
        guard let line = report.first(where: { line in signs.contains { line.contains($0) } }) else { return nil }
        return line.replacing(#/^\[[ 0-9.]+\](\[[ TC0-9]+\])? /#, with: "")
    }

    /// The report of a kernel that died: from a few lines before its first sign, at most 120 lines; nil if there is none.
    var crash: [String]? {
        let lines = lines
        guard let sign = lines.firstIndex(where: { line in Self.signs.contains { line.contains($0) } }) else {
            return nil
        }
        return Array(lines[max(0, sign - 4)..<min(lines.count, sign + 116)])
    }
}
