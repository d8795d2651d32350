import Glibc
public import SystemPackage

/// The data files of a load client, and the check of what is left of them.
public enum LoadFiles {
    /// Files of each client.
    static let count = 8
    static let mostBlocks = 32

    static func name(_ file: UInt64) -> String { "data-\(file)" }

    /// How many blocks a file has: fixed by its number.
    static func blocks(in file: UInt64) -> Int { [1, 2, 4, 8, 16, 24, 32, 3][Int(file) % 8] }

    /// Whether a client's folder is seen in the source. Not so where the daemon encrypts names, or keeps its files elsewhere.
    public static func areSeen(in source: FilePath, client: UInt64) -> Bool {
        access(source.appending(LoadClient.folderName(id: client)).string, F_OK) == 0
    }

    /// Compares what lies in a source folder with the ledger of a client: every file that was fsynced must be there, whole, and
    /// not older than that.
    ///
    /// - Parameters:
    ///   - ledger: lines of `file version sum`, the later ones counting; version 0 is a file that was removed.
    ///   - source: the folder that the daemon served, on a filesystem that is alive.
    /// - Returns: how many files were checked, and one line for each that is wrong.
    public static func verify(ledger: FilePath, source: FilePath, client: UInt64) -> (checked: Int, wrong: [String]) {
        var expected: [UInt64: UInt64] = [:]
        for line in (contents(of: ledger.string) ?? "").split(separator: "\n", omittingEmptySubsequences: true) {
            let fields = line.split(separator: " ").compactMap { UInt64($0) }
            // The last line may have been cut off by the client's death: then its fsync was not yet acknowledged.
            if fields.count == 3, fields[2] == fields[0] &+ fields[1] { expected[fields[0]] = fields[1] }
        }
        var wrong: [String] = []
        for (file, version) in expected where version > 0 {
            let path = source.appending(LoadClient.folderName(id: client)).appending(name(file)).string
            if let fault = check(path, client: client, file: file, least: version) { wrong.append("\(path): \(fault)") }
        }
        return (expected.count, wrong)
    }

    private static func check(_ path: String, client: UInt64, file: UInt64, least: UInt64) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return "fsynced, but gone" }
        defer { close(descriptor) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: LoadBlock.size, alignment: LoadBlock.size)
        defer { memory.deallocate() }
        for block in 0..<blocks(in: file) {
            guard pread(descriptor, memory, LoadBlock.size, off_t(block * LoadBlock.size)) == LoadBlock.size else {
                return "block \(block) of \(blocks(in: file)) is missing"
            }
            guard let found = LoadBlock(from: memory) else {
                // An overwrite that was not yet fsynced may have been cut: a store into a mapping by the client's death.
                let promised = LoadBlock(client: client, file: file, block: UInt64(block), version: least)
                if promised.isOverwrittenInPart(in: memory) { continue }
                return "block \(block) is not what any client wrote"
            }
            if found.client != client || found.file != file || found.block != UInt64(block) {
                return "block \(block) holds block \(found.block) of file \(found.file) of client \(found.client)"
            }
            if found.version < least { return "block \(block) has version \(found.version), fsynced was \(least)" }
        }
        return nil
    }
}
