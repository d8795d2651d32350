/// A file's identity among all that the source spans: filesystem and inode number.
struct FileIdentity: Hashable {
    /// ``BackingFileSystem/index``; 0 is the source directory's own.
    let fileSystem: Int
    /// `st_ino`.
    let inode: UInt64

    /// Both, spread over 64 bits.
    var mixed: UInt64 { (inode ^ UInt64(fileSystem) << 48) &* 0x9e37_79b9_7f4a_7c15 }

    /// What a dictionary asks for. Each request looks for its inode, several times if it names one, and Swift's own hash, made to
    /// withstand chosen keys, costs more than all the rest of it; inode numbers are the source's to choose.
    func _rawHashValue(seed: Int) -> Int {
        let mixed = self.mixed ^ UInt64(bitPattern: Int64(seed))
        return Int(truncatingIfNeeded: mixed ^ mixed >> 32)
    }
}
