import FoundationEssentials
public import SystemPackage

/// The results of a run as they come, one JSON object a line: whatever becomes of the bench, what it had found is there.
public struct ResultFile: Sendable {
    public let path: FilePath
    private let keeping: ResultsKeeping

    /// Makes the folder, and takes away the results of an earlier run.
    ///
    /// - Parameter keeping: learns of what could not be written.
    public init(_ path: FilePath, keeping: ResultsKeeping) {
        self.path = path
        self.keeping = keeping
        Evidence.makeFolders(path.removingLastComponent().string)
        Evidence.remove(path)
    }

    public func append(_ result: TestResult) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and numbers only: encoding them cannot fail.
        guard let data = try? encoder.encode(result) else { return }
        keeping.write(Array(data) + [UInt8(ascii: "\n")], to: path, .append)
    }
}
