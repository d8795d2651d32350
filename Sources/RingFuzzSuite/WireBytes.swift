/// A message as it goes over the wire, number by number, in the machine's own order of bytes.
struct WireBytes {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ numbers: UInt64...) { for number in numbers { withUnsafeBytes(of: number) { bytes += $0 } } }
    mutating func put32(_ numbers: UInt32...) { for number in numbers { withUnsafeBytes(of: number) { bytes += $0 } } }
    mutating func put16(_ numbers: UInt16...) { for number in numbers { withUnsafeBytes(of: number) { bytes += $0 } } }
    mutating func put(_ more: some Sequence<UInt8>) { bytes += more }

    /// Zeros up to this length, or up to a multiple of 8.
    mutating func fill(to length: Int) { while bytes.count < length { bytes.append(0) } }
    mutating func align() { fill(to: (bytes.count + 7) & ~7) }
}

extension [UInt8] {
    /// The number at an offset; 0 beyond the end.
    func number<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type = Number.self) -> Number {
        guard offset + MemoryLayout<Number>.size <= count else { return 0 }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }

    /// Puts a number at an offset, if there is room.
    mutating func replace(at offset: Int, with number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number) { source in
            guard offset + source.count <= count else { return }
            for (index, byte) in source.enumerated() { self[offset + index] = byte }
        }
    }
}
