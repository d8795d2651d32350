/// A filesystem: one method for each operation of the FUSE protocol, each but ``getattr(_:handle:_:)`` with a default for those who do
/// without it.
///
/// Methods are called on the transport's threads, many at once: what they share needs a lock. Files are known by the ``NodeID`` that
/// ``lookup(_:in:_:)`` gave them, open ones also by the ``HandleID`` that ``open(_:flags:_:)`` gave. What is asked for besides
/// (caller, raw message) is in the ``Request``, which like a ``Name`` and all spans is borrowed for the time of the call.
///
/// A method must not block for long, since its thread may serve a whole queue: what does block is returned as ``Reply/blocking(_:)``
/// or ``Reply/async(_:)``. Errors are thrown as `Errno`. The smallest filesystem has ``lookup(_:in:_:)``, ``getattr(_:handle:_:)``,
/// ``readdir(_:handle:from:into:_:)`` and ``read(_:handle:at:count:into:_:)``.
public protocol FileSystem: AnyObject, Sendable {
    // MARK: The mount

    /// What this filesystem promises to the kernel, and so lets it do. By default ``InitFlags/autoInvalidateData``.
    var promises: InitFlags { get }
    /// How long the kernel may take a name to lead where it led; a second by default.
    var entryTimeout: Duration { get }
    /// How long the kernel may keep attributes; a second by default.
    var attributeTimeout: Duration { get }
    /// Called once before the first request, with the means to tell the kernel of changes.
    func start(_ notifier: Notifier)
    /// Called once after the last request.
    func stop()

    // MARK: Names

    /// Finds a name. Each entry replied, here or by whatever makes a name, is one more reference to its node.
    ///
    /// - Throws: ENOENT if there is none.
    func lookup(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Entry>
    /// Takes `count` references to a node back. One that has none left, and no name, can go.
    func forget(_ node: NodeID, count: UInt64)
    /// Makes a symbolic link.
    func symlink(
        _ name: Name, in parent: NodeID, target: Name, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry>
    /// Makes a file, FIFO, socket or device. The umask is applied to the permissions already; the number of a device is encoded as
    /// ``Attributes/device``.
    func mknod(
        _ name: Name, in parent: NodeID, _ kind: FileKind, permissions: UInt16, device: UInt32,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry>
    /// Makes a directory.
    func mkdir(
        _ name: Name, in parent: NodeID, permissions: UInt16, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry>
    /// Removes a name of what is no directory. The file lives on while the kernel has references to it.
    func unlink(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void>
    /// Removes a directory.
    ///
    /// - Throws: ENOTEMPTY.
    func rmdir(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void>
    /// Gives a file another name; what has that name already is removed, unless `flags` say otherwise.
    ///
    /// - Throws: EINVAL for flags that are not known.
    func rename(
        _ name: Name, in parent: NodeID, to newName: Name, in newParent: NodeID, flags: RenameFlags,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Void>
    /// Gives a file one more name.
    func link(
        _ node: NodeID, as name: Name, in parent: NodeID, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry>
    /// What a symbolic link says.
    func readlink(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<FileName>

    // MARK: Attributes

    /// What stat(2) tells. The handle is that of the open file that was asked about, and nil for a path.
    func getattr(_ node: NodeID, handle: HandleID?, _ request: borrowing Request) throws(Errno) -> Reply<Attributes>
    /// Changes attributes, and answers what they are then.
    func setattr(
        _ node: NodeID, _ changes: AttributeChanges, _ request: borrowing Request
    ) throws(Errno) -> Reply<Attributes>
    /// Says whether the caller may, by a mask of access(2). Not asked with ``ServeOptions/defaultPermissions``.
    func access(_ node: NodeID, mask: UInt32, _ request: borrowing Request) throws(Errno) -> Reply<Void>
    /// The value of an extended attribute.
    ///
    /// - Throws: ENODATA if there is none of that name.
    func getxattr(_ name: Name, of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[UInt8]>
    /// The names of all extended attributes.
    func listxattr(of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[FileName]>
    /// Sets an extended attribute.
    func setxattr(
        _ name: Name, of node: NodeID, value: RawSpan, flags: XattrFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void>
    /// Removes an extended attribute.
    ///
    /// - Throws: ENODATA if there is none of that name.
    func removexattr(_ name: Name, of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void>

    // MARK: Open files

    /// Opens a file. By default files need no opening, and the kernel soon asks no more.
    func open(_ node: NodeID, flags: OpenFlags, _ request: borrowing Request) throws(Errno) -> Reply<OpenReply>
    /// Makes a file and opens it. By default the kernel does it with MKNOD and OPEN.
    func create(
        _ name: Name, in parent: NodeID, permissions: UInt16, flags: OpenFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Created>
    /// Makes a file without a name and opens it (O_TMPFILE).
    func tmpfile(
        in parent: NodeID, permissions: UInt16, flags: OpenFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Created>
    /// Reads `count` bytes at `offset`; fewer only at the end of the file. Into the buffer goes what is answered with
    /// ``ReadResult/buffer``.
    func read(
        _ node: NodeID, handle: HandleID, at offset: Int64, count: Int, into buffer: inout ReplyBuffer,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReadResult>
    /// Writes `data` at `offset`.
    func write(
        _ node: NodeID, handle: HandleID, at offset: Int64, _ data: RawSpan, _ request: borrowing Request
    ) throws(Errno) -> Reply<WriteResult>
    /// A descriptor of the open file was closed: close(2) returns what is replied. There may be several for one open file.
    func flush(_ node: NodeID, handle: HandleID, _ request: borrowing Request) throws(Errno) -> Reply<Void>
    /// The open file is no longer used. Nobody waits for the reply.
    func release(_ node: NodeID, handle: HandleID)
    /// Makes sure that what was written is kept, whatever comes: fsync(2), or fdatasync(2) with `dataOnly`.
    func fsync(
        _ node: NodeID, handle: HandleID, dataOnly: Bool, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void>
    /// Reserves space, or makes holes, by a mode of fallocate(2).
    func fallocate(
        _ node: NodeID, handle: HandleID, mode: UInt32, at offset: Int64, length: Int64, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void>
    /// Where data or a hole begins. By default the kernel takes all of a file for data.
    func lseek(
        _ node: NodeID, handle: HandleID, from offset: Int64, to target: SeekTarget, _ request: borrowing Request
    ) throws(Errno) -> Reply<Int64>
    /// Which events there are now, for poll(2). By default a file can always be read and written. The waker is for
    /// ``Notifier/wake(_:)``, once there is one of the events, and nil if nobody waits.
    func poll(
        _ node: NodeID, handle: HandleID, _ events: PollEvents, waker: PollWaker?, _ request: borrowing Request
    ) throws(Errno) -> Reply<PollEvents>

    // MARK: Directories

    /// Opens a directory. By default directories need no opening, and the kernel soon asks no more.
    func opendir(_ node: NodeID, flags: OpenFlags, _ request: borrowing Request) throws(Errno) -> Reply<OpenReply>
    /// Lists names from a position on: 0, or one that was given to ``DirectoryList/append(_:next:)``.
    func readdir(
        _ node: NodeID, handle: HandleID, from position: UInt64, into list: inout DirectoryList,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReaddirResult>
    /// The open directory is no longer used. Nobody waits for the reply.
    func releasedir(_ node: NodeID, handle: HandleID)
    /// Makes sure that names are kept, whatever comes.
    func fsyncdir(
        _ node: NodeID, handle: HandleID, dataOnly: Bool, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void>

    // MARK: The whole

    /// How full it is. By default nobody knows: zeros.
    func statfs(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<SpaceUsage>
    /// Makes sure that everything is kept, whatever comes. The kernel asks daemons only in few cases.
    func syncfs(_ request: borrowing Request) throws(Errno) -> Reply<Void>
}
