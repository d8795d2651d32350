/// What a filesystem has that leaves an operation out.
///
/// Three answers are used. ENOSYS, where the kernel then does without and asks no more: the operation is not needed, or has a
/// substitute. EPERM, as the manual pages have it for what a filesystem does not support (names cannot be made or removed,
/// attributes not be changed). And whatever is true of a filesystem that has nothing of the kind.
extension FileSystem {
    public var promises: InitFlags { .autoInvalidateData }
    public var entryTimeout: Duration { .seconds(1) }
    public var attributeTimeout: Duration { .seconds(1) }
    public func start(_ notifier: Notifier) {}
    public func stop() {}

    public func lookup(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Entry> {
        throw .noSuchFileOrDirectory
    }
    public func forget(_ node: NodeID, count: UInt64) {}
    public func symlink(
        _ name: Name, in parent: NodeID, target: Name, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> { throw .notPermitted }
    public func mknod(
        _ name: Name, in parent: NodeID, _ kind: FileKind, permissions: UInt16, device: UInt32,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> { throw .notPermitted }
    public func mkdir(
        _ name: Name, in parent: NodeID, permissions: UInt16, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> { throw .notPermitted }
    public func unlink(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        throw .notPermitted
    }
    public func rmdir(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        throw .notPermitted
    }
    public func rename(
        _ name: Name, in parent: NodeID, to newName: Name, in newParent: NodeID, flags: RenameFlags,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> { throw .notPermitted }
    public func link(
        _ node: NodeID, as name: Name, in parent: NodeID, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> { throw .notPermitted }
    public func readlink(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<FileName> {
        throw .invalidArgument
    }

    public func setattr(
        _ node: NodeID, _ changes: AttributeChanges, _ request: borrowing Request
    ) throws(Errno) -> Reply<Attributes> { throw .notPermitted }
    public func access(_ node: NodeID, mask: UInt32, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        throw .noFunction
    }
    public func getxattr(_ name: Name, of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[UInt8]> {
        throw .noFunction
    }
    public func listxattr(of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[FileName]> {
        throw .noFunction
    }
    public func setxattr(
        _ name: Name, of node: NodeID, value: RawSpan, flags: XattrFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> { throw .noFunction }
    public func removexattr(_ name: Name, of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        throw .noFunction
    }

    public func open(_ node: NodeID, flags: OpenFlags, _ request: borrowing Request) throws(Errno) -> Reply<OpenReply> {
        throw .noFunction
    }
    public func create(
        _ name: Name, in parent: NodeID, permissions: UInt16, flags: OpenFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Created> { throw .noFunction }
    public func tmpfile(
        in parent: NodeID, permissions: UInt16, flags: OpenFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Created> { throw .noFunction }
    public func read(
        _ node: NodeID, handle: HandleID, at offset: Int64, count: Int, into buffer: inout ReplyBuffer,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReadResult> { throw .notPermitted }
    public func write(
        _ node: NodeID, handle: HandleID, at offset: Int64, _ data: RawSpan, _ request: borrowing Request
    ) throws(Errno) -> Reply<WriteResult> { throw .notPermitted }
    public func flush(_ node: NodeID, handle: HandleID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        throw .noFunction
    }
    public func release(_ node: NodeID, handle: HandleID) {}
    public func fsync(
        _ node: NodeID, handle: HandleID, dataOnly: Bool, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> { throw .noFunction }
    public func fallocate(
        _ node: NodeID, handle: HandleID, mode: UInt32, at offset: Int64, length: Int64, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> { throw .noFunction }
    public func lseek(
        _ node: NodeID, handle: HandleID, from offset: Int64, to target: SeekTarget, _ request: borrowing Request
    ) throws(Errno) -> Reply<Int64> { throw .noFunction }
    public func poll(
        _ node: NodeID, handle: HandleID, _ events: PollEvents, waker: PollWaker?, _ request: borrowing Request
    ) throws(Errno) -> Reply<PollEvents> { throw .noFunction }

    public func opendir(
        _ node: NodeID, flags: OpenFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<OpenReply> { throw .noFunction }
    public func readdir(
        _ node: NodeID, handle: HandleID, from position: UInt64, into list: inout DirectoryList,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReaddirResult> { .entries([]) }
    public func releasedir(_ node: NodeID, handle: HandleID) {}
    public func fsyncdir(
        _ node: NodeID, handle: HandleID, dataOnly: Bool, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> { throw .noFunction }

    public func statfs(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<SpaceUsage> {
        .now(SpaceUsage())
    }
    public func syncfs(_ request: borrowing Request) throws(Errno) -> Reply<Void> { throw .noFunction }
}
