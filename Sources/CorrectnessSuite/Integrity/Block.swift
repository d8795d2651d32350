import Glibc
import LinuxSystem

/// A block that says itself what it is: whose, where, which generation, and whether it is whole.
struct Block {
    static let size = 4096
    private static let magic: UInt64 = 0x6673_7465_7374_6b69

    /// The file's number in the run.
    var file: UInt32
    /// The block's number in the file.
    var index: UInt32
    /// Counts up with each write of this block; the first is 1.
    var generation: UInt32
    /// The process that wrote it.
    var writer: UInt32
    /// The run's seed.
    var seed: UInt64

    /// Writes it down: header, content drawn from all of the header, checksum over both.
    func encode(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.storeBytes(of: Block.magic, toByteOffset: 0, as: UInt64.self)
        bytes.storeBytes(of: seed, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: file, toByteOffset: 16, as: UInt32.self)
        bytes.storeBytes(of: index, toByteOffset: 20, as: UInt32.self)
        bytes.storeBytes(of: generation, toByteOffset: 24, as: UInt32.self)
        bytes.storeBytes(of: writer, toByteOffset: 28, as: UInt32.self)
        var random = SplitMix64(seed: seed ^ UInt64(file) << 40 ^ UInt64(index) << 20 ^ UInt64(generation))
        for offset in stride(from: 40, to: Block.size, by: 8) {
            bytes.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
        }
        bytes.storeBytes(of: Block.checksum(bytes), toByteOffset: 32, as: UInt64.self)
    }

    /// What a block of bytes turns out to be.
    enum Content: Equatable {
        /// Whole.
        case block(file: UInt32, index: UInt32, generation: UInt32, writer: UInt32)
        /// A block of another run.
        case foreign
        /// Zeros only.
        case zeros
        /// Neither.
        case torn(String)
    }

    /// Reads one back.
    static func decode(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> Content {
        guard bytes.load(as: UInt64.self) == magic else {
            return bytes.allSatisfy { $0 == 0 } ? .zeros : .torn("no header, first bytes \(Array(bytes.prefix(8)))")
        }
        let found = Block(
            file: bytes.load(fromByteOffset: 16, as: UInt32.self),
            index: bytes.load(fromByteOffset: 20, as: UInt32.self),
            generation: bytes.load(fromByteOffset: 24, as: UInt32.self),
            writer: bytes.load(fromByteOffset: 28, as: UInt32.self),
            seed: bytes.load(fromByteOffset: 8, as: UInt64.self))
        if found.seed != seed { return .foreign }
        if bytes.load(fromByteOffset: 32, as: UInt64.self) == checksum(bytes) {
            return .block(file: found.file, index: found.index, generation: found.generation, writer: found.writer)
        }
        return .torn("the checksum is wrong; \(found.firstDifference(bytes))")
    }

    /// The first byte that is not as this block's header says.
    private func firstDifference(_ bytes: UnsafeRawBufferPointer) -> String {
        let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: Block.size, alignment: 8)
        defer { whole.deallocate() }
        encode(into: whole)
        let wrong = (0..<Block.size).filter { bytes[$0] != whole[$0] }
        guard let first = wrong.first else { return "the header was changed" }
        return
            "generation \(generation) has byte \(bytes[first]) instead of \(whole[first]) at \(first), \(wrong.count) wrong bytes"
    }

    /// FNV-1a over words, the checksum's own place left out.
    private static func checksum(_ bytes: some RawWords) -> UInt64 {
        var hash = FNV1a()
        for offset in stride(from: 0, to: size, by: 8) where offset != 32 { hash.combine(bytes.word(at: offset)) }
        return hash.value
    }
}

/// What a checksum can be taken of.
private protocol RawWords {
    func word(at offset: Int) -> UInt64
}

extension UnsafeRawBufferPointer: RawWords {
    fileprivate func word(at offset: Int) -> UInt64 { load(fromByteOffset: offset, as: UInt64.self) }
}

extension UnsafeMutableRawBufferPointer: RawWords {
    fileprivate func word(at offset: Int) -> UInt64 { load(fromByteOffset: offset, as: UInt64.self) }
}
