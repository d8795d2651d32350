import FoundationEssentials
public import SystemPackage

/// The results of a run as they come, one JSON object a line: whatever becomes of the bench, what it had found is there.
public struct ResultFile: Sendable {
    public let path: FilePath

    /// Makes the folder, and takes away the results of an earlier run.
    public init(_ path: FilePath) {
        self.path = path
        Evidence.makeFolders(path.removingLastComponent().string)
        Evidence.remove(path)
    }

    public func append(_ result: TestResult) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and numbers only: encoding them cannot fail.
        guard let data = try? encoder.encode(result),
            let file = try? FileDescriptor.open(
                path, .writeOnly, options: [.create, .append, .closeOnExec],
                permissions: FilePermissions(rawValue: 0o644))
        else { return }
        _ = try? file.closeAfter { try file.writeAll(Array(data) + [UInt8(ascii: "\n")]) }
    }
}
