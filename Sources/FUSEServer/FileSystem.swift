package import CFUSE
package import FUSEProtocol
package import SystemPackage

/// A filesystem as a session serves it: one method for each operation of the protocol.
///
/// Methods are called on the transport's threads, many at once. What they need of the request they read from it (caller
/// and node from ``Request``, the opcode's struct as `arguments`, names as they lie in the message); what they reply they
/// write into `reply` and return ``Outcome/reply``. A thrown errno is the reply. An operation that a filesystem does not
/// have throws ENOSYS, which makes the kernel stop asking for most of them.
///
/// A method must not block for long: its thread serves a whole queue. Backing reads, writes and fsyncs are returned as
/// outcomes, and whatever else may block (a lock, a long copy) as ``Outcome/deferred(_:)``.
package protocol FileSystem: AnyObject, Sendable {
    /// What this filesystem promises to the kernel, and so lets it do: to have data dropped when mtime changes
    /// (``InitFlags/autoInvalidateData``) or kept, to apply the umask itself (``InitFlags/dontMask``), to clear set-id bits
    /// (``InitFlags/handleKillPrivilegesV2``), to truncate in OPEN (``InitFlags/atomicOpenTruncate``), and so on. The session
    /// adds nothing but what the protocol itself needs.
    var wantedFlags: InitFlags { get }
    /// Called once with what was agreed, before the first request.
    func start(_ agreed: InitFlags)
    /// The session stops: requests that wait here (for a lock) shall end with EINTR.
    func interruptWaiters()
    /// Called once after the last request: everything that is held can be let go.
    func stop()

    /// Handles any request. The default decodes it and calls its operation's method (``decode(_:reply:)``), which is all that most
    /// filesystems need.
    ///
    /// - Parameter reply: must not share memory with the request.
    /// - Returns: what the transport has to do. Never throws: a failure is an outcome.
    func dispatch(_ request: borrowing Request, reply: inout ReplyBuffer) -> Outcome

    func lookup(_ request: borrowing Request, name: Name, reply: inout ReplyBuffer) throws(Errno) -> Outcome
    /// `count` references to `node` are gone. There is no reply and no error.
    func forget(node: UInt64, count: UInt64)
    func getattr(
        _ request: borrowing Request, _ arguments: fuse_getattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func statx(
        _ request: borrowing Request, _ arguments: cfuse_statx_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func setattr(
        _ request: borrowing Request, _ arguments: fuse_setattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func readlink(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome
    func symlink(
        _ request: borrowing Request, name: Name, target: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func mknod(
        _ request: borrowing Request, _ arguments: fuse_mknod_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func mkdir(
        _ request: borrowing Request, _ arguments: fuse_mkdir_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func unlink(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome
    func rmdir(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome
    /// RENAME and RENAME2: `flags` are those of renameat2(2).
    func rename(
        _ request: borrowing Request, name: Name, newParent: UInt64, newName: Name, flags: UInt32
    ) throws(Errno) -> Outcome
    /// `oldNode` gets one more name, in the request's node.
    func link(
        _ request: borrowing Request, oldNode: UInt64, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome

    func open(_ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer) throws(Errno)
        -> Outcome
    func create(
        _ request: borrowing Request, _ arguments: fuse_create_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func tmpfile(
        _ request: borrowing Request, _ arguments: fuse_create_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    /// `reply` is for what is in memory; what a file has is ``Outcome/read(_:offset:count:)``.
    func read(
        _ request: borrowing Request, _ arguments: fuse_read_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    /// The data is the request's payload.
    func write(_ request: borrowing Request, _ arguments: fuse_write_in, reply: inout ReplyBuffer) throws(Errno)
        -> Outcome
    func flush(_ request: borrowing Request, _ arguments: fuse_flush_in) throws(Errno) -> Outcome
    func release(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome
    func fsync(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome
    func fallocate(_ request: borrowing Request, _ arguments: fuse_fallocate_in) throws(Errno) -> Outcome
    func lseek(
        _ request: borrowing Request, _ arguments: fuse_lseek_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    /// `extended` says which form the reply has: `fuse_write_out` or, since 7.45, `fuse_copy_file_range_out`.
    func copyFileRange(
        _ request: borrowing Request, _ arguments: fuse_copy_file_range_in, extended: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome

    func opendir(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func readdir(
        _ request: borrowing Request, _ arguments: fuse_read_in, plus: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func releasedir(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome
    func fsyncdir(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome

    func statfs(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome
    func syncfs(_ request: borrowing Request) throws(Errno) -> Outcome
    func access(_ request: borrowing Request, mask: UInt32) throws(Errno) -> Outcome
    func setxattr(
        _ request: borrowing Request, _ arguments: fuse_setxattr_in, name: Name, value: RawSpan
    ) throws(Errno) -> Outcome
    /// `size` 0 asks for the length only (`fuse_getxattr_out`).
    func getxattr(
        _ request: borrowing Request, name: Name, size: Int, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    /// `size` 0 asks for the length only (`fuse_getxattr_out`).
    func listxattr(_ request: borrowing Request, size: Int, reply: inout ReplyBuffer) throws(Errno) -> Outcome
    func removexattr(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome
    func getlk(_ request: borrowing Request, _ arguments: fuse_lk_in, reply: inout ReplyBuffer) throws(Errno) -> Outcome
    /// SETLK, and SETLKW with `wait`: a lock that is not to be had at once is waited for in ``Outcome/deferred(_:)``.
    func setlk(_ request: borrowing Request, _ arguments: fuse_lk_in, wait: Bool) throws(Errno) -> Outcome
    /// The caller of the request `unique` got a signal: if it waits here, it shall end with EINTR.
    func interrupt(unique: UInt64)
    func ioctl(
        _ request: borrowing Request, _ arguments: fuse_ioctl_in, input: RawSpan, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome
    func poll(_ request: borrowing Request, _ arguments: fuse_poll_in, reply: inout ReplyBuffer) throws(Errno)
        -> Outcome
}
