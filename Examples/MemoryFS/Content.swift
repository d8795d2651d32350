import FUSE

/// A file's bytes, in blocks. One that nothing was written to is not there, and reads as zeros.
struct Content {
    static let blockSize = 4096

    private var blocks: [Int64: [UInt8]] = [:]
    private(set) var size: Int64 = 0

    var blockCount: Int { blocks.count }

    /// Blocks that would be added if this range were written.
    func missing(_ range: Range<Int64>) -> Int {
        range.isEmpty ? 0 : Content.blocks(of: range).count { blocks[$0] == nil }
    }

    /// Copies what there is of `count` bytes from `offset` on.
    func read(at offset: Int64, count: Int, into buffer: inout ReplyBuffer) throws(Errno) {
        let end = min(size, offset + Int64(count))
        var position = offset
        while position < end {
            let index = position / Int64(Content.blockSize)
            let start = Int(position % Int64(Content.blockSize))
            let length = min(Content.blockSize - start, Int(end - position))
            let block = blocks[index] ?? Content.zeros
            try buffer.append(block.span.bytes.extracting(start..<start + length))
            position += Int64(length)
        }
    }

    mutating func write(_ data: RawSpan, at offset: Int64) {
        var done = 0
        while done < data.byteCount {
            let position = offset + Int64(done)
            let start = Int(position % Int64(Content.blockSize))
            let length = min(Content.blockSize - start, data.byteCount - done)
            let piece = data.extracting(done..<done + length)
            blocks[position / Int64(Content.blockSize), default: Content.zeros].withUnsafeMutableBytes { block in
                let room = UnsafeMutableRawBufferPointer(rebasing: block[start..<start + length])
                piece.withUnsafeBytes { room.copyMemory(from: $0) }
            }
            done += length
        }
        size = max(size, offset + Int64(data.byteCount))
    }

    mutating func resize(to newSize: Int64) {
        if newSize < size { clear(newSize..<size) }
        size = newSize
    }

    /// Makes blocks where there are none.
    mutating func allocate(_ range: Range<Int64>) {
        for index in Content.blocks(of: range) where blocks[index] == nil { blocks[index] = Content.zeros }
    }

    /// Takes the blocks of a range away; of those that are only in part in it, that part becomes zeros.
    mutating func clear(_ range: Range<Int64>) {
        let unit = Int64(Content.blockSize)
        // A range may have far more blocks than there are.
        for index in Array(blocks.keys) where index * unit < range.upperBound && (index + 1) * unit > range.lowerBound {
            let part = max(range.lowerBound, index * unit)..<min(range.upperBound, (index + 1) * unit)
            if part.count == Content.blockSize || part.upperBound >= size && part.lowerBound == index * unit {
                blocks[index] = nil
            } else {
                for position in part { blocks[index]![Int(position - index * unit)] = 0 }
            }
        }
    }

    /// Where data or a hole begins, from an offset on.
    func seek(from offset: Int64, to target: SeekTarget) throws(Errno) -> Int64 {
        guard offset >= 0, offset < size else { throw .noSuchAddressOrDevice }
        let unit = Int64(Content.blockSize)
        var index = offset / unit
        switch target {
        case .hole:
            while blocks[index] != nil { index += 1 }
            return min(size, max(offset, index * unit))
        case .data:
            if blocks[index] != nil { return offset }
            guard let next = blocks.keys.filter({ $0 > index }).min(), next * unit < size else {
                throw .noSuchAddressOrDevice
            }
            return next * unit
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: blockSize)

    private static func blocks(of range: Range<Int64>) -> Range<Int64> {
        range.lowerBound / Int64(blockSize)..<(range.upperBound + Int64(blockSize) - 1) / Int64(blockSize)
    }
}
