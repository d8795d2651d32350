import FUSE
import Synchronization

/// A filesystem that is gone with its daemon. It has what most local filesystems have, but access control lists, inode flags and file
/// handles for NFS; locks are the kernel's.
///
/// One lock guards it all: it is an example of the library's face, not of speed.
final class MemoryFS: FileSystem {
    private let tree: Mutex<Tree>

    init(_ root: Attributes) { tree = Mutex(Tree(root)) }

    // MARK: Names

    func lookup(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Entry> {
        let name = FileName(name)
        return try tree.withLock { tree throws(Errno) in
            .now(tree.entry(try tree.child(name, of: try tree.node(parent))))
        }
    }

    func forget(_ node: NodeID, count: UInt64) { tree.withLock { $0.forget(node, count: count) } }

    /// A new file, as the caller's; in a directory with the set-group-id bit as the directory's group's.
    private func make(
        _ name: borrowing Name, in parent: NodeID, _ kind: FileKind, _ permissions: UInt16,
        _ request: borrowing Request, _ fill: (Node) -> Void = { _ in }
    ) throws(Errno) -> Reply<Entry> {
        let name = FileName(name)
        let (user, group) = (request.user, request.group)
        return try tree.withLock { tree throws(Errno) in
            let directory = try tree.node(parent)
            if name.bytes.count > 255 { throw .fileNameTooLong }
            guard directory.directory[name] == nil else { throw .fileExists }
            let node = tree.add(
                MemoryFS.attributes(kind, permissions, user, group, in: directory), parent: parent)
            fill(node)
            directory.directory.set(name, node.id)
            if kind == .directory { directory.attributes.links += 1 }
            directory.touch()
            return .now(tree.entry(node))
        }
    }

    private static func attributes(
        _ kind: FileKind, _ permissions: UInt16, _ user: UInt32, _ group: UInt32, in parent: Node
    ) -> Attributes {
        var attributes = Attributes(kind, permissions: permissions, user: user, group: group, time: .now)
        if parent.attributes.permissions & 0o2000 != 0 {
            attributes.group = parent.attributes.group
            if kind == .directory { attributes.permissions |= 0o2000 }
        }
        return attributes
    }

    func mknod(
        _ name: Name, in parent: NodeID, _ kind: FileKind, permissions: UInt16, device: UInt32,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        try make(name, in: parent, kind, permissions, request) { $0.attributes.device = device }
    }

    func mkdir(
        _ name: Name, in parent: NodeID, permissions: UInt16, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        try make(name, in: parent, .directory, permissions, request)
    }

    func symlink(
        _ name: Name, in parent: NodeID, target: Name, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        let target = FileName(target)
        return try make(name, in: parent, .symbolicLink, 0o777, request) { node in
            node.target = target
            node.attributes.size = UInt64(target.bytes.count)
        }
    }

    func readlink(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<FileName> {
        try tree.withLock { tree throws(Errno) in .now(try tree.node(node).target) }
    }

    func link(
        _ node: NodeID, as name: Name, in parent: NodeID, _ request: borrowing Request
    ) throws(Errno) -> Reply<Entry> {
        let name = FileName(name)
        return try tree.withLock { tree throws(Errno) in
            let (file, directory) = (try tree.node(node), try tree.node(parent))
            if name.bytes.count > 255 { throw .fileNameTooLong }
            guard directory.directory[name] == nil else { throw .fileExists }
            directory.directory.set(name, node)
            directory.touch()
            file.attributes.links += 1
            file.attributes.changed = .now
            return .now(tree.entry(file))
        }
    }

    func unlink(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        try remove(name, in: parent, isDirectory: false)
    }

    func rmdir(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        try remove(name, in: parent, isDirectory: true)
    }

    private func remove(_ name: borrowing Name, in parent: NodeID, isDirectory: Bool) throws(Errno) -> Reply<Void> {
        let name = FileName(name)
        return try tree.withLock { tree throws(Errno) in
            let directory = try tree.node(parent)
            let node = try tree.child(name, of: directory)
            try MemoryFS.checkRemoval(of: node, isDirectory: isDirectory)
            directory.directory.remove(name)
            MemoryFS.unlinked(node, from: directory)
            directory.touch()
            tree.removeIfGone(node)
            return .done
        }
    }

    private static func checkRemoval(of node: Node, isDirectory: Bool) throws(Errno) {
        if isDirectory && !node.isDirectory { throw .notDirectory }
        if !isDirectory && node.isDirectory { throw .isDirectory }
        if !node.directory.isEmpty { throw .directoryNotEmpty }
    }

    /// A name of it is no more.
    private static func unlinked(_ node: Node, from directory: Node) {
        if node.isDirectory {
            node.attributes.links = 0
            directory.attributes.links -= 1
        } else {
            node.attributes.links -= 1
        }
        node.attributes.changed = .now
    }

    func rename(
        _ name: Name, in parent: NodeID, to newName: Name, in newParent: NodeID, flags: RenameFlags,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> {
        guard flags.isSubset(of: [.noReplace, .exchange]) else { throw .invalidArgument }
        let (name, newName) = (FileName(name), FileName(newName))
        return try tree.withLock { tree throws(Errno) in
            let (from, to) = (try tree.node(parent), try tree.node(newParent))
            let node = try tree.child(name, of: from)
            if newName.bytes.count > 255 { throw .fileNameTooLong }
            let other: Node? = if let id = to.directory[newName] { try tree.node(id) } else { nil }
            if flags.contains(.exchange) {
                guard let other else { throw .noSuchFileOrDirectory }
                from.directory.set(name, other.id)
                MemoryFS.moved(other, from: to, to: from)
            } else {
                if let other {
                    if flags.contains(.noReplace) { throw .fileExists }
                    try MemoryFS.checkRemoval(of: other, isDirectory: node.isDirectory)
                    MemoryFS.unlinked(other, from: to)
                }
                from.directory.remove(name)
            }
            to.directory.set(newName, node.id)
            MemoryFS.moved(node, from: from, to: to)
            from.touch()
            to.touch()
            if let other { tree.removeIfGone(other) }
            return .done
        }
    }

    private static func moved(_ node: Node, from: Node, to: Node) {
        if node.isDirectory {
            from.attributes.links -= 1
            to.attributes.links += 1
            node.parent = to.id
        }
        node.attributes.changed = .now
    }

    // MARK: Attributes

    func getattr(_ node: NodeID, handle: HandleID?, _ request: borrowing Request) throws(Errno) -> Reply<Attributes> {
        try tree.withLock { tree throws(Errno) in .now(try tree.node(node).attributes) }
    }

    func setattr(
        _ node: NodeID, _ changes: AttributeChanges, _ request: borrowing Request
    ) throws(Errno) -> Reply<Attributes> {
        try tree.withLock { tree throws(Errno) in
            let file = try tree.node(node)
            if let size = changes.size {
                guard let size = Int64(exactly: size) else { throw .fileTooLarge }
                try tree.change(file) { content throws(Errno) in content.resize(to: size) }
            }
            let blocks = file.attributes.blocks
            changes.apply(to: &file.attributes)
            file.attributes.blocks = blocks
            return .now(file.attributes)
        }
    }

    func getxattr(_ name: Name, of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[UInt8]> {
        let name = FileName(name)
        return try tree.withLock { tree throws(Errno) in
            guard let value = try tree.node(node).extended[name] else { throw .noData }
            return .now(value)
        }
    }

    func listxattr(of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<[FileName]> {
        let isPrivileged = request.user == 0
        return try tree.withLock { tree throws(Errno) in
            .now(try tree.node(node).extended.keys.filter { isPrivileged || !$0.bytes.starts(with: "trusted.".utf8) })
        }
    }

    func setxattr(
        _ name: Name, of node: NodeID, value: RawSpan, flags: XattrFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> {
        let name = FileName(name)
        // Others mean something that somebody would have to obey, as access control lists do.
        guard ["user.", "trusted.", "security."].contains(where: { name.bytes.starts(with: $0.utf8) }) else {
            throw .notSupportedOnSocket
        }
        let value = value.withUnsafeBytes { Array($0) }
        return try tree.withLock { tree throws(Errno) in
            let file = try tree.node(node)
            let isThere = file.extended[name] != nil
            if flags.contains(.create) && isThere { throw .fileExists }
            if flags.contains(.replace) && !isThere { throw .noData }
            file.extended[name] = value
            file.attributes.changed = .now
            return .done
        }
    }

    func removexattr(_ name: Name, of node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Void> {
        let name = FileName(name)
        return try tree.withLock { tree throws(Errno) in
            let file = try tree.node(node)
            guard file.extended.removeValue(forKey: name) != nil else { throw .noData }
            file.attributes.changed = .now
            return .done
        }
    }

    // MARK: Content

    func tmpfile(
        in parent: NodeID, permissions: UInt16, flags: OpenFlags, _ request: borrowing Request
    ) throws(Errno) -> Reply<Created> {
        let (user, group) = (request.user, request.group)
        return try tree.withLock { tree throws(Errno) in
            var attributes = MemoryFS.attributes(.file, permissions, user, group, in: try tree.node(parent))
            attributes.links = 0
            return .now(Created(tree.entry(tree.add(attributes, parent: parent)), OpenReply(0)))
        }
    }

    func read(
        _ node: NodeID, handle: HandleID, at offset: Int64, count: Int, into buffer: inout ReplyBuffer,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReadResult> {
        try tree.withLock { tree throws(Errno) in
            try tree.node(node).content.read(at: offset, count: count, into: &buffer)
        }
        return .written
    }

    func write(
        _ node: NodeID, handle: HandleID, at offset: Int64, _ data: RawSpan, _ request: borrowing Request
    ) throws(Errno) -> Reply<WriteResult> {
        try tree.withLock { tree throws(Errno) in
            let range = offset..<offset + Int64(data.byteCount)
            try tree.change(try tree.node(node), adding: range) { content throws(Errno) in
                content.write(data, at: offset)
            }
        }
        return .now(.count(data.byteCount))
    }

    func fallocate(
        _ node: NodeID, handle: HandleID, mode: UInt32, at offset: Int64, length: Int64, _ request: borrowing Request
    ) throws(Errno) -> Reply<Void> {
        let (keepsSize, punchesHole, zeroes) = (mode & 1 != 0, mode & 2 != 0, mode & 0x10 != 0)
        guard mode & ~0x13 == 0 else { throw .notSupported }
        let range = offset..<offset + length
        try tree.withLock { tree throws(Errno) in
            try tree.change(try tree.node(node), adding: punchesHole ? 0..<0 : range) { content throws(Errno) in
                if punchesHole || zeroes { content.clear(range) }
                if !punchesHole { content.allocate(range) }
                if !keepsSize && range.upperBound > content.size { content.resize(to: range.upperBound) }
            }
        }
        return .done
    }

    func lseek(
        _ node: NodeID, handle: HandleID, from offset: Int64, to target: SeekTarget, _ request: borrowing Request
    ) throws(Errno) -> Reply<Int64> {
        try tree.withLock { tree throws(Errno) in .now(try tree.node(node).content.seek(from: offset, to: target)) }
    }

    // MARK: Directories

    func readdir(
        _ node: NodeID, handle: HandleID, from position: UInt64, into list: inout DirectoryList,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReaddirResult> {
        try tree.withLock { tree throws(Errno) in
            let directory = try tree.node(node)
            if position < 1, !list.append(DirectoryEntry(".", node, .directory), next: 1) { return }
            if position < 2, !list.append(DirectoryEntry("..", directory.parent, .directory), next: 2) { return }
            for link in directory.directory.links(after: max(position, Directory.firstPlace)) {
                let kind = try tree.node(link.node).attributes.kind
                if !list.append(DirectoryEntry(link.name, link.node, kind), next: link.place) { return }
            }
        }
        return .written
    }

    func statfs(_ node: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<SpaceUsage> {
        tree.withLock { .now($0.usage) }
    }
}
