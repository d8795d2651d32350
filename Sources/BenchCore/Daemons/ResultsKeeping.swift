import LinuxSystem
public import SystemPackage

/// Whether all that a run wrote into its output folder is there. Shared by everything that writes there: a result that is lost may be the
/// one that matters, so a run whose folder fills up ends, and says so.
public final class ResultsKeeping: Sendable {
    /// A file that could not be written.
    public struct Loss: Error, Hashable, Sendable, CustomStringConvertible {
        public let path: FilePath
        public let error: Errno

        public var description: String { "\(path) could not be written (\(error.name))" }
    }

    private let first = Lock<Loss?>(nil)

    init() {}

    /// The first thing that was lost.
    public var loss: Loss? { first.withLock { $0 } }

    /// Creates a file, or writes on at its end.
    func write(_ bytes: some Sequence<UInt8>, to path: FilePath, _ options: FileDescriptor.OpenOptions) {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: options.union([.create, .closeOnExec]),
                permissions: FilePermissions(rawValue: 0o644))
            _ = try file.closeAfter { try file.writeAll(bytes) }
        } catch {
            let loss = Loss(path: path, error: error as? Errno ?? .ioError)
            first.withLock { $0 = $0 ?? loss }
        }
    }
}
