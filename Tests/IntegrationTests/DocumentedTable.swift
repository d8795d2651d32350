import FoundationEssentials
import LinuxSystem
import SystemPackage
import Testing

/// A table of the documentation that is made from the tests: it must be what they say. `scripts/faults` writes it anew.
struct DocumentedTable {
    /// Below `docs/`.
    let file: String
    let name: String
    let head: [String]
    let rows: [[String]]

    func check() throws {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let path = root.appending("docs").appending(file)
        let text = try readWhole(path)
        let begin = "<!-- \(name): written by scripts/faults -->\n"
        let start = try #require(text.firstRange(of: begin), "\(file) has no table '\(name)'").upperBound
        let end = try #require(text[start...].firstRange(of: "<!-- end of \(name) -->")).lowerBound
        guard ProcessInfo.processInfo.environment["FSTESTKIT_WRITE_TABLES"] == nil else {
            return try (text[..<start] + markdown + text[end...]).write(
                toFile: path.string, atomically: true, encoding: .utf8)
        }
        #expect(text[start..<end] == markdown, "scripts/faults writes the tables of docs/\(file)")
    }

    private var markdown: String {
        ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }
}
