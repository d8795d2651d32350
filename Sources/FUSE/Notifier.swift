import CFUSE
import Glibc
import LinuxSystem

/// Tells the kernel what changed by itself, so that its caches follow at once (`FUSE_NOTIFY_*`).
///
/// The kernel takes locks for some of these, and writes back what it has of a file: never call one from a handler about what that
/// handler was asked, but from a thread or task of your own. ENOENT means that the kernel knows nothing of it, which is as good.
public struct Notifier: Sendable {
    private let connection: Connection

    package init(_ connection: Connection) { self.connection = connection }

    /// A file's attributes are no longer what they were.
    public func invalidateAttributes(of node: NodeID) throws(Errno) {
        try connection.notify(FUSE_NOTIFY_INVAL_INODE, fuse_notify_inval_inode_out(ino: node.rawValue, off: -1, len: 0))
    }

    /// A file's attributes are no longer what they were, nor are so many bytes of its content from an offset on; 0 for all that follow.
    public func invalidate(_ node: NodeID, from offset: Int64 = 0, length: Int64 = 0) throws(Errno) {
        try connection.notify(
            FUSE_NOTIFY_INVAL_INODE, fuse_notify_inval_inode_out(ino: node.rawValue, off: offset, len: length))
    }

    /// A name no longer leads where it led.
    public func invalidate(_ name: FileName, in parent: NodeID) throws(Errno) {
        try connection.notify(
            FUSE_NOTIFY_INVAL_ENTRY,
            fuse_notify_inval_entry_out(parent: parent.rawValue, namelen: UInt32(name.bytes.count), flags: 0),
            name.bytes + [0])
    }

    /// A name was removed: whoever watches the directory (inotify(7)) is told, too.
    public func delete(_ name: FileName, of node: NodeID, in parent: NodeID) throws(Errno) {
        try connection.notify(
            FUSE_NOTIFY_DELETE,
            fuse_notify_delete_out(
                parent: parent.rawValue, child: node.rawValue, namelen: UInt32(name.bytes.count), padding: 0),
            name.bytes + [0])
    }

    /// Puts content into the kernel's page cache, and makes the file longer if it reaches further.
    public func store(_ bytes: [UInt8], into node: NodeID, at offset: UInt64) throws(Errno) {
        try connection.notify(
            FUSE_NOTIFY_STORE,
            fuse_notify_store_out(nodeid: node.rawValue, offset: offset, size: UInt32(bytes.count), padding: 0), bytes)
    }

    /// Has whoever polls a file ask again.
    public func wake(_ waker: PollWaker) throws(Errno) {
        try connection.notify(FUSE_NOTIFY_POLL, fuse_notify_poll_wakeup_out(kh: waker.rawValue))
    }
}

/// Somebody who polls a file, and waits to be woken.
public struct PollWaker: RawRepresentable, Hashable, Sendable {
    /// The kernel's number for it.
    public let rawValue: UInt64

    /// Of the kernel's number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

extension Connection {
    /// Sends a notification: header, struct, and what follows it, in one write(2).
    func notify<Body: BitwiseCopyable>(
        _ code: fuse_notify_code, _ body: Body, _ data: [UInt8] = []
    ) throws(Errno) {
        var header = fuse_out_header(
            len: UInt32(MemoryLayout<fuse_out_header>.size + MemoryLayout<Body>.size + data.count),
            error: CInt(code.rawValue), unique: 0)
        var body = body
        let result = unsafe withUnsafeMutableBytes(of: &header) { header in
            unsafe withUnsafeMutableBytes(of: &body) { body in
                unsafe data.withUnsafeBytes { data in
                    let vectors = unsafe [
                        iovec(iov_base: header.baseAddress, iov_len: header.count),
                        iovec(iov_base: body.baseAddress, iov_len: body.count),
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: data.baseAddress), iov_len: data.count),
                    ]
                    return Result { () throws(Errno) in
                        try Errno.check { unsafe writev(device.rawValue, vectors, data.isEmpty ? 2 : 3) }
                    }
                }
            }
        }
        _ = try result.get()
    }
}
