import Glibc
import SystemPackage
import Testing

@testable import BenchCore

/// What the check of stored data takes for lost, and what not.
@Suite struct LoadFilesTests {
    /// The bytes of block 0 of a client's file 0.
    private static func block(version: UInt64, client: UInt64 = 7) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: LoadBlock.size / 8) { words, count in
            LoadBlock(client: client, file: 0, block: 0, version: version).store(
                to: UnsafeMutableRawPointer(words.baseAddress!))
            count = words.count
        }
    }

    /// What the check says of a file with these contents, when this version was fsynced.
    private static func verdict(_ words: [UInt64], fsynced: UInt64) throws -> [String] {
        let folder = FilePath("/tmp/load-files-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        mkdir(folder.string, 0o755)
        mkdir(folder.appending("load-7").string, 0o755)
        defer {
            unlink(folder.appending("load-7/data-0").string)
            unlink(folder.appending("ledger").string)
            rmdir(folder.appending("load-7").string)
            rmdir(folder.string)
        }
        try words.withUnsafeBytes { bytes in
            let file = try FileDescriptor.open(
                folder.appending("load-7/data-0"), .writeOnly, options: .create, permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
        }
        let ledger = try FileDescriptor.open(
            folder.appending("ledger"), .writeOnly, options: .create, permissions: .ownerReadWrite)
        try ledger.closeAfter { _ = try ledger.writeAll("0 \(fsynced) \(fsynced)\n".utf8) }
        return LoadFiles.verify(ledger: folder.appending("ledger"), source: folder, client: 7).wrong
    }

    @Test func aWholeBlockIsGoodFromTheFsyncedVersionOn() throws {
        #expect(try Self.verdict(Self.block(version: 3), fsynced: 3).isEmpty)
        #expect(try Self.verdict(Self.block(version: 5), fsynced: 3).isEmpty)
        #expect(try !Self.verdict(Self.block(version: 2), fsynced: 3).isEmpty)
        #expect(try !Self.verdict(Self.block(version: 3, client: 8), fsynced: 3).isEmpty)
    }

    @Test func anOverwriteMayBeCutAndTheFsyncedVersionMayNot() throws {
        let old = Self.block(version: 3), new = Self.block(version: 4)
        let cut = Array(new[..<200] + old[200...])
        #expect(try Self.verdict(cut, fsynced: 3).isEmpty)
        #expect(try !Self.verdict(cut, fsynced: 4).isEmpty)
        #expect(try Self.verdict(Array(old[..<200] + new[200...]), fsynced: 3).isEmpty)
        var flipped = cut
        flipped[300] ^= 1
        #expect(try !Self.verdict(flipped, fsynced: 3).isEmpty)
        #expect(try !Self.verdict([UInt64](repeating: 0, count: 512), fsynced: 3).isEmpty)
        #expect(try !Self.verdict(Array(old[..<100]), fsynced: 3).isEmpty)
    }
}
