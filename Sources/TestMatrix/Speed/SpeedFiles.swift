public import BenchCore
import Foundation

/// The files of a run of the bench, in the run's folder.
public struct SpeedFiles {
    private let record: SpeedRecord

    public init(_ record: SpeedRecord) {
        self.record = record
    }

    /// Page, text, Markdown, and all that was measured as JSON.
    ///
    /// - Returns: their names.
    public func write(to folder: String) throws -> [String] {
        let table = SpeedTable(record)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let files = [
            ("bench.html", SpeedPage(record).text),
            ("bench.txt", (table.lines() + [""] + table.summary).joined(separator: "\n") + "\n"),
            ("bench.md", SpeedMarkdown(record).text),
            ("bench.json", String(decoding: try encoder.encode(record), as: UTF8.self) + "\n"),
        ]
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in files {
            try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
        }
        return files.map(\.0)
    }
}
