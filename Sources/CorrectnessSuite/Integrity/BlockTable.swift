import CBench
import CLinux
import Glibc
import SystemPackage

/// What each block should hold, in a file outside of what is tested, mapped by all processes of the load: it survives a crash of
/// any of them, and a remount.
final class BlockTable {
    /// For each block: the generation that is being written, the one that has been written, and its last writes.
    private let map: Mapping
    private let blocks: Int
    static let history = 6
    private static let entry = 16 + history * 16

    /// How a block was written.
    enum Way: UInt32, CaseIterable {
        case never, buffered, direct, mapped, vectored, truncated
    }

    /// Opens, or makes, the table of so many blocks.
    init(_ path: Path, blocks: Int) throws(CallError) {
        self.blocks = blocks
        let file = try File(path, O_RDWR | O_CREAT, 0o600)
        let length = blocks * BlockTable.entry
        if try file.stat().size != UInt64(length) { try file.truncate(Int64(length)) }
        map = try file.map(length, writable: true, shared: true)
    }

    /// The generation that a writer has begun to write.
    func pending(_ block: Int) -> UInt32 { map.bytes.load(fromByteOffset: block * BlockTable.entry, as: UInt32.self) }

    /// The generation that is written; 0 for zeros.
    func committed(_ block: Int) -> UInt32 {
        map.bytes.load(fromByteOffset: block * BlockTable.entry + 4, as: UInt32.self)
    }

    /// Whether the block holds zeros since its last truncate.
    func isZero(_ block: Int) -> Bool {
        map.bytes.load(fromByteOffset: block * BlockTable.entry + 8, as: UInt32.self) == 1
    }

    /// A write of `generation` begins.
    func begin(_ block: Int, _ generation: UInt32) {
        map.bytes.storeBytes(of: generation, toByteOffset: block * BlockTable.entry, as: UInt32.self)
    }

    /// It has ended: the block holds it from now on (or zeros, if it was truncated).
    func commit(_ block: Int, _ generation: UInt32, _ way: Way, writer: UInt32) {
        let base = block * BlockTable.entry
        let slot = base + 16 + Int(generation) % BlockTable.history * 16
        map.bytes.storeBytes(of: generation, toByteOffset: slot, as: UInt32.self)
        map.bytes.storeBytes(of: way.rawValue | writer << 8, toByteOffset: slot + 4, as: UInt32.self)
        map.bytes.storeBytes(of: cbench_now() / 1000, toByteOffset: slot + 8, as: UInt64.self)
        map.bytes.storeBytes(of: way == .truncated ? 1 : 0, toByteOffset: base + 8, as: UInt32.self)
        map.bytes.storeBytes(of: generation, toByteOffset: base + 4, as: UInt32.self)
    }

    /// The last writes of a block, oldest first.
    func story(_ block: Int) -> String {
        let base = block * BlockTable.entry + 16
        let entries = (0..<BlockTable.history).map { number -> (UInt32, UInt32, UInt64) in
            let at = base + number * 16
            return (
                map.bytes.load(fromByteOffset: at, as: UInt32.self),
                map.bytes.load(fromByteOffset: at + 4, as: UInt32.self),
                map.bytes.load(fromByteOffset: at + 8, as: UInt64.self)
            )
        }
        let last = entries.map(\.2).max() ?? 0
        return entries.filter { $0.0 != 0 }.sorted { $0.0 < $1.0 }.map { generation, how, time in
            let way = Way(rawValue: how & 255).map { "\($0)" } ?? "?"
            return "generation \(generation) \(way) by process \(how >> 8), \((last - time) / 1000) ms before the last"
        }.joined(separator: "; ")
    }
}
