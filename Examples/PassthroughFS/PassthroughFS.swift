import FUSE
import Glibc

/// A directory of the machine, as whoever runs this sees it.
///
/// A file is held by a descriptor of O_PATH for as long as the kernel knows it. Reads and writes are the transport's: it moves the data
/// between the file and the kernel, and on a ring without a thread that waits for the disk.
///
/// It does without much that a filesystem needs whose source others may change at any moment: a new file is its daemon's for a moment
/// before it is its caller's, an open that waits for a lease holds up its queue, mounts in the source stay busy while the kernel knows a
/// file there, and a name that was replaced behind the mount is removed as if it were the one that the kernel has checked.
final class PassthroughFS: FileSystem {
    private let files: FileTable
    private let open = OpenTable<BackingFile>()
    private let directories = OpenTable<OpenDirectory>()

    init(_ source: FilePath) throws(Errno) {
        let descriptor = try check(source.withPlatformString { Glibc.open($0, O_PATH | O_DIRECTORY | O_CLOEXEC) })
        files = FileTable(root: try File(descriptor))
    }

    // MARK: Names

    func lookup(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Entry> {
        .now(try files.entry(try files[parent].child(name)))
    }

    func forget(_ node: NodeID, count: UInt64) { files.forget(node, count: count) }

    /// Makes a name, and gives what it leads to to the caller if this process may do that.
    private func make(
        _ name: borrowing Name, in parent: NodeID, _ request: borrowing Request,
        _ call: (CInt, UnsafePointer<CChar>) -> CInt
    ) throws(Errno) -> Reply<Entry> {
        let directory = try files[parent]
        _ = try name.withCString { name throws(Errno) in try check(call(directory.descriptor, name)) }
        let file = try directory.child(name)
        try own(file, in: directory, request)
        return .now(try files.entry(file))
    }

    private func own(_ file: File, in directory: File, _ request: borrowing Request) throws(Errno) {
        guard geteuid() == 0 else { return }
        // In a directory with the set-group-id bit the group is the directory's.
        let keepsGroup = try directory.attributes().permissions & 0o2000 != 0
        let permissions = try file.attributes()
        _ = try check(chown(file.path, request.user, keepsGroup ? .max : request.group))
        // chown(2) has dropped set-id bits.
        if permissions.permissions & 0o6000 != 0 && permissions.kind == .file {
            _ = try check(chmod(file.path, UInt32(permissions.permissions)))
        }
    }

    func mknod(
        _ name: Name, in parent: NodeID, _ kind: FileKind, permissions: UInt16, device: UInt32,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        try make(name, in: parent, request) {
            mknodat($0, $1, kind.rawValue | UInt32(permissions), UInt(device))
        }
    }

    func mkdir(
        _ name: Name, in parent: NodeID, permissions: UInt16, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        try make(name, in: parent, request) { mkdirat($0, $1, UInt32(permissions)) }
    }

    func symlink(
        _ name: Name, in parent: NodeID, target: Name, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        try make(name, in: parent, request) { directory, name in
            target.withCString { symlinkat($0, directory, name) }
        }
    }

    func link(
        _ node: NodeID, as name: Name, in parent: NodeID, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        let (file, directory) = (try files[node], try files[parent])
        _ = try name.withCString { name throws(Errno) in
            try check(linkat(AT_FDCWD, file.path, directory.descriptor, name, AT_SYMLINK_FOLLOW))
        }
        return .now(try files.entry(file))
    }

    func unlink(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        try remove(name, in: parent, 0)
    }

    func rmdir(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        try remove(name, in: parent, AT_REMOVEDIR)
    }

    private func remove(_ name: borrowing Name, in parent: NodeID, _ flags: CInt) throws(Errno) -> Reply<Void> {
        let directory = try files[parent]
        _ = try name.withCString { name throws(Errno) in try check(unlinkat(directory.descriptor, name, flags)) }
        return .done
    }

    func rename(
        _ name: Name, in parent: NodeID, to newName: Name, in newParent: NodeID, flags: RenameFlags,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> {
        guard flags.isEmpty else { throw .invalidArgument }
        let (from, to) = (try files[parent], try files[newParent])
        _ = try name.withCString { name throws(Errno) in
            try newName.withCString { newName throws(Errno) in
                try check(renameat(from.descriptor, name, to.descriptor, newName))
            }
        }
        return .done
    }

    func readlink(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<FileName> {
        let file = try files[node]
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = try check(
            CInt(target.withUnsafeMutableBytes { readlinkat(file.descriptor, "", $0.baseAddress!, $0.count) }))
        return .now(FileName(bytes: Array(target[..<Int(count)])))
    }

    // MARK: Attributes

    func getattr(_ node: NodeID, handle: HandleID?, _ request: borrowing Request) throws(Errno) -> Reply<Attributes> {
        .now(try files[node].attributes())
    }

    func setattr(
        _ node: NodeID, _ changes: AttributeChanges, _ request: borrowing Request
    ) throws(Errno) -> Reply<Attributes> {
        let file = try files[node]
        if changes.user != nil || changes.group != nil {
            _ = try check(chown(file.path, changes.user ?? .max, changes.group ?? .max))
        }
        if let permissions = changes.permissions { _ = try check(chmod(file.path, UInt32(permissions))) }
        if let size = changes.size {
            if let handle = changes.handle {
                _ = try check(ftruncate(try open[handle].descriptor.rawValue, Int(size)))
            } else {
                _ = try check(truncate(file.path, Int(size)))
            }
        }
        if changes.accessed != nil || changes.modified != nil {
            let omitted = timespec(tv_sec: 0, tv_nsec: UTIME_OMIT)
            let times = [changes.accessed?.time ?? omitted, changes.modified?.time ?? omitted]
            _ = try check(utimensat(AT_FDCWD, file.path, times, 0))
        }
        return .now(try file.attributes())
    }

    // MARK: Open files

    func open(_ node: NodeID, flags: OpenFlags, _ request: borrowing Request) throws(Errno) -> Reply<OpenReply> {
        // The kernel gives every write its place, at the end or elsewhere.
        let descriptor = try files[node].reopened(flags.rawValue & ~O_APPEND)
        return .now(OpenReply(open.add(BackingFile(descriptor, isDirect: false))))
    }

    func read(
        _ node: NodeID, handle: HandleID, at offset: Int64, count: Int, into buffer: inout ReplyBuffer,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReadResult> {
        .now(.file(try open[handle], at: offset))
    }

    func write(
        _ node: NodeID, handle: HandleID, at offset: Int64, _ data: RawSpan, _ request: borrowing Request
    ) throws(Errno) -> Reply<WriteResult> {
        .now(.file(try open[handle], at: offset))
    }

    func release(_ node: NodeID, handle: HandleID) { open.remove(handle) }

    func fsync(
        _ node: NodeID, handle: HandleID, dataOnly: Bool, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> {
        let file = try open[handle]
        return .blocking { () throws(Errno) in
            _ = try check(dataOnly ? fdatasync(file.descriptor.rawValue) : Glibc.fsync(file.descriptor.rawValue))
        }
    }

    // MARK: Directories

    func opendir(_ node: NodeID, flags: OpenFlags, _ request: borrowing Request) throws(Errno) -> Reply<OpenReply> {
        let descriptor = try files[node].reopened(O_RDONLY | O_DIRECTORY)
        return .now(OpenReply(directories.add(try OpenDirectory(descriptor))))
    }

    func readdir(
        _ node: NodeID, handle: HandleID, from position: UInt64, into list: inout DirectoryList,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReaddirResult> {
        try directories[handle].list(from: position, into: &list)
        return .written
    }

    func releasedir(_ node: NodeID, handle: HandleID) { directories.remove(handle) }

    func fsyncdir(
        _ node: NodeID, handle: HandleID, dataOnly: Bool, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> {
        let directory = try files[node]
        return .blocking { () throws(Errno) in
            let descriptor = try directory.reopened(O_RDONLY | O_DIRECTORY)
            defer { try? descriptor.close() }
            _ = try check(Glibc.fsync(descriptor.rawValue))
        }
    }

    func statfs(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<SpaceUsage> {
        var status = statvfs()
        _ = try check(statvfs(try files[node].path, &status))
        var usage = SpaceUsage(
            blocks: UInt64(status.f_blocks), freeBlocks: UInt64(status.f_bfree), blockSize: UInt32(status.f_bsize),
            files: UInt64(status.f_files), freeFiles: UInt64(status.f_ffree), nameLength: UInt32(status.f_namemax))
        usage.availableBlocks = UInt64(status.f_bavail)
        return .now(usage)
    }
}
