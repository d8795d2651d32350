import CBench
import Glibc

/// The two buffers of an entry: what its owner may touch of them is told here, what the kernel is told is another
/// matter.
struct EntryMemory {
    /// What REGISTER names.
    var header: UInt
    var headerLength: Int
    var payload: UInt
    var payloadLength: Int
    /// What can be read and written here without a fault.
    var isHeaderMine = true
    var isPayloadMine = true

    static let headerSize = 288
    static let page = 4096

    /// Memory of this process's alone, a page for the header and so many bytes for the payload.
    init?(payload size: Int) {
        let length = Self.page + (size + Self.page - 1) / Self.page * Self.page
        guard let start = Self.map(length) else { return nil }
        (header, headerLength) = (start, Self.headerSize)
        (payload, payloadLength) = (start + UInt(Self.page), size)
    }

    /// Fresh memory; nil if there is none.
    static func map(_ length: Int, at place: UInt? = nil) -> UInt? {
        let memory = mmap(
            place.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }, length, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | (place == nil ? 0 : MAP_FIXED), -1, 0)
        guard let memory, Int(bitPattern: memory) != -1 else { return nil }
        return UInt(bitPattern: memory)
    }

    /// Bytes of the header; zeros if it cannot be read.
    func header(_ offset: Int, _ count: Int) -> [UInt8] {
        guard isHeaderMine, let memory = UnsafeRawPointer(bitPattern: header + UInt(offset)) else {
            return [UInt8](repeating: 0, count: count)
        }
        return Array(UnsafeRawBufferPointer(start: memory, count: count))
    }

    func writeHeader(_ offset: Int, _ bytes: [UInt8]) {
        guard isHeaderMine, let memory = UnsafeMutableRawPointer(bitPattern: header + UInt(offset)) else { return }
        memory.copyMemory(from: bytes, byteCount: bytes.count)
    }

    /// As much of it as there is room for.
    func writePayload(_ bytes: [UInt8]) {
        guard isPayloadMine, let memory = UnsafeMutableRawPointer(bitPattern: payload) else { return }
        memory.copyMemory(from: bytes, byteCount: min(bytes.count, payloadLength))
    }

    /// The name that the payload begins with.
    func payloadName() -> String? {
        guard isPayloadMine, payloadLength > 0, let memory = UnsafeRawPointer(bitPattern: payload) else { return nil }
        let bytes = UnsafeRawBufferPointer(start: memory, count: min(256, payloadLength))
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
