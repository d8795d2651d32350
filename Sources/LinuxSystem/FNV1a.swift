/// FNV-1a, 64 bits: a checksum that is the same in every process and build. It tells accidents, and withstands no adversary.
public struct FNV1a: Sendable {
    @usableFromInline var state: UInt64 = 0xcbf2_9ce4_8422_2325

    public init() {}

    @inlinable
    public var value: UInt64 { state }

    /// Takes a byte; or eight at once, which is faster, and another hash than theirs one by one.
    @inlinable
    public mutating func combine(_ word: UInt64) {
        state = (state ^ word) &* 0x100_0000_01b3
    }

    @inlinable
    public mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { combine(UInt64(byte)) }
    }
}
