import LinuxSystem

/// A block of test data that proves by itself what it is: which client wrote it, into which file, at which place, and
/// in which round. A torn, misplaced or stale block is told from a good one without the writer's memory.
struct LoadBlock: Equatable {
    /// In bytes; also the alignment that O_DIRECT wants.
    static let size = 4096
    private static let magic: UInt64 = 0x6673_7465_7374_6B74

    var client: UInt64
    var file: UInt64
    var block: UInt64
    /// 1 for the first round of writes, counted up by each overwrite.
    var version: UInt64

    /// Fills `size` bytes.
    func store(to memory: UnsafeMutableRawPointer) {
        let words = memory.assumingMemoryBound(to: UInt64.self)
        words[0] = LoadBlock.magic
        words[1] = client
        words[2] = file
        words[3] = block
        words[4] = version
        let key = LoadBlock.key(client: client, file: file, block: block, version: version)
        for index in 5..<LoadBlock.size / 8 { words[index] = LoadBlock.word(key, index) }
    }

    /// Reads `size` bytes back; nil if they are not one whole block.
    init?(from memory: UnsafeRawPointer) {
        let words = memory.assumingMemoryBound(to: UInt64.self)
        guard words[0] == LoadBlock.magic else { return nil }
        client = words[1]
        file = words[2]
        block = words[3]
        version = words[4]
        let key = LoadBlock.key(client: client, file: file, block: block, version: version)
        for index in 5..<LoadBlock.size / 8 where words[index] != LoadBlock.word(key, index) { return nil }
    }

    /// Whether each word in memory is of this block in this version or a later one.
    func isOverwrittenInPart(in memory: UnsafeRawPointer) -> Bool {
        let words = memory.assumingMemoryBound(to: UInt64.self)
        // More overwrites than that between two fsyncs are no load's.
        let versions = version...(max(version, min(words[4], version &+ 1000)) &+ 1)
        let keys = versions.map { LoadBlock.key(client: client, file: file, block: block, version: $0) }
        return words[0] == LoadBlock.magic && words[1] == client && words[2] == file && words[3] == block
            && versions.contains(words[4])
            && (5..<LoadBlock.size / 8).allSatisfy { index in
                keys.contains { words[index] == LoadBlock.word($0, index) }
            }
    }

    init(client: UInt64, file: UInt64, block: UInt64, version: UInt64) {
        self.client = client
        self.file = file
        self.block = block
        self.version = version
    }

    private static func key(client: UInt64, file: UInt64, block: UInt64, version: UInt64) -> UInt64 {
        SplitMix64.mix(client &+ SplitMix64.mix(file &+ SplitMix64.mix(block &+ SplitMix64.mix(version))))
    }

    private static func word(_ key: UInt64, _ index: Int) -> UInt64 {
        (key &+ UInt64(truncatingIfNeeded: index)) &* 0x9E37_79B9_7F4A_7C15
    }
}
