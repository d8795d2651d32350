package import CFUSE
package import FUSEProtocol
package import FUSEServer
package import SystemPackage

/// Directory listings.
extension FaultyFileSystem {
    package func readdir(
        _ request: borrowing Request, _ arguments: fuse_read_in, plus: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard fault == .entryDropped || fault == .entryDoubled else {
            return try inner.readdir(request, arguments, plus: plus, reply: &reply)
        }
        // Room for what is doubled.
        var smaller = arguments
        let limit = Int(arguments.size)
        if fault == .entryDoubled, arguments.size >= 8192 { smaller.size -= 2048 }
        return try rewriting(&reply, size: limit) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.readdir(request, smaller, plus: plus, reply: &reply)
        } change: { bytes in
            change(entries(of: bytes, plus: plus), plus: plus, limit: limit)
        }
    }

    /// The entries of a reply, each with the bytes that come before its `fuse_dirent` in READDIRPLUS.
    private func entries(of bytes: [UInt8], plus: Bool) -> [[UInt8]] {
        var result: [[UInt8]] = []
        let head = plus ? MemoryLayout<fuse_entry_out>.size : 0
        var at = 0
        while at + head + 24 <= bytes.count {
            let length = bytes.withUnsafeBytes {
                Int($0.loadUnaligned(fromByteOffset: at + head + 16, as: UInt32.self))
            }
            let size = head + (24 + length + 7) & ~7
            guard at + size <= bytes.count else { break }
            result.append(Array(bytes[at..<at + size]))
            at += size
        }
        return result
    }

    private func change(_ entries: [[UInt8]], plus: Bool, limit: Int) -> [UInt8] {
        var result: [UInt8] = []
        var left = entries.map(\.count).reduce(0, +)
        for entry in entries {
            left -= entry.count
            let isTurn = isTurn(50)
            if isTurn && fault == .entryDropped {
                // The kernel never sees this reference, so it cannot give it back.
                let node = plus ? entry.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } : 0
                if node != 0 { inner.forget(node: node, count: 1) }
                continue
            }
            result += entry
            if isTurn && fault == .entryDoubled && result.count + entry.count + left <= limit {
                var second = entry
                // Node 0: an entry without a lookup, which counts no reference.
                if plus { for index in 0..<MemoryLayout<fuse_entry_out>.size { second[index] = 0 } }
                result += second
            }
        }
        return result
    }
}
