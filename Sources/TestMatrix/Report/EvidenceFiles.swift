import Foundation

/// The evidence of a run's failures, as text that goes into the page: each file's beginning and end, and in all no more than a page
/// may weigh.
final class EvidenceFiles {
    /// What there is of a file.
    enum Content: Equatable {
        case text(String)
        /// Why there is no text.
        case nothing(String)
    }

    private let folder: String
    /// In bytes.
    private var budget: Int
    private static let head = 3 << 10
    private static let tail = 9 << 10

    /// - Parameters:
    ///   - folder: the run's.
    ///   - budget: bytes for all files together.
    init(folder: String, budget: Int = 2_500_000) {
        self.folder = folder
        self.budget = budget
    }

    func content(of name: String) -> Content {
        let path = name.hasPrefix("/") ? name : folder + "/" + name
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return .nothing("is not there")
        }
        if isFolder.boolValue {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
            return .text(names.isEmpty ? "(empty folder)" : names.joined(separator: "\n"))
        }
        if budget < 2048 { return .nothing("is in the run's folder; this page is full") }
        guard let data = read(path) else { return .nothing("cannot be read") }
        if data.contains(0) { return .nothing("is no text") }
        budget -= data.count
        return .text(EvidenceFiles.withoutEscapes(String(decoding: data, as: UTF8.self)))
    }

    /// Colours of a terminal say nothing on a page.
    private static func withoutEscapes(_ text: String) -> String {
        text.contains("\u{1b}") ? text.replacing(#/\u{1b}\[[0-9;?]*[A-Za-z]/#, with: "") : text
    }

    /// A whole small file, or the head and the tail of a large one.
    private func read(_ path: String) -> Data? {
        guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd() else { return nil }
        defer { try? file.close() }
        let limit = min(EvidenceFiles.head + EvidenceFiles.tail, budget)
        do {
            try file.seek(toOffset: 0)
            if size <= UInt64(limit) { return try file.readToEnd() ?? Data() }
            let head = try file.read(upToCount: limit / 4) ?? Data()
            try file.seek(toOffset: size - UInt64(limit * 3 / 4))
            let tail = try file.readToEnd() ?? Data()
            let left = Int(size) - head.count - tail.count
            return head + Data("\n\n… \(left) bytes are left out here …\n\n".utf8) + tail
        } catch {
            return nil
        }
    }
}
