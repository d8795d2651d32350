/// An archive of files as the kernel unpacks it at boot: cpio's `newc` format.
struct CPIOArchive {
    private var bytes: [UInt8] = []
    private var inode: UInt32 = 0

    mutating func add(folder name: String) { add(name, mode: 0o040755, []) }

    mutating func add(file name: String, _ content: [UInt8], isProgram: Bool = false) {
        add(name, mode: isProgram ? 0o100755 : 0o100644, content)
    }

    /// The whole archive, with its end.
    consuming func finished() -> [UInt8] {
        add("TRAILER!!!", mode: 0, [])
        return bytes
    }

    private mutating func add(_ name: String, mode: UInt32, _ content: [UInt8]) {
        inode += 1
        bytes += Array("070701".utf8)
        // inode, mode, owner, group, links, time, size, device and its number twice, length of the name, no checksum.
        let fields: [UInt32] = [
            inode, mode, 0, 0, 1, 0, UInt32(content.count), 0, 0, 0, 0, UInt32(name.utf8.count + 1), 0,
        ]
        for field in fields {
            let digits = String(field, radix: 16)
            bytes += Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
        }
        bytes += Array(name.utf8) + [0]
        align()
        bytes += content
        align()
    }

    private mutating func align() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }
}
