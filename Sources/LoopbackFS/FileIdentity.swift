/// A file's identity among all that the source spans: filesystem and inode number.
struct FileIdentity: Hashable {
    /// ``BackingFileSystem/index``; 0 is the source directory's own.
    let fileSystem: Int
    /// `st_ino`.
    let inode: UInt64
}
