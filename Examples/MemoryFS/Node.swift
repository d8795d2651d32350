import FUSE

/// A file of any kind. Whoever touches it holds the filesystem's lock.
final class Node {
    let id: NodeID
    var attributes: Attributes
    var content = Content()
    /// Of a directory.
    var directory = Directory()
    /// Of a directory, the one that it is in.
    var parent: NodeID
    /// Of a symbolic link.
    var target = FileName("")
    var extended: [FileName: [UInt8]] = [:]
    /// What the kernel holds.
    var references: UInt64 = 0

    init(_ id: NodeID, _ attributes: Attributes, parent: NodeID) {
        self.id = id
        self.attributes = attributes
        self.parent = parent
    }

    var isDirectory: Bool { attributes.kind == .directory }

    /// Nobody can come to it any more.
    var isGone: Bool { references == 0 && attributes.links == 0 && id != .root }

    /// Content or names have changed.
    func touch(at time: Timestamp = .now) {
        attributes.modified = time
        attributes.changed = time
        guard attributes.kind == .file else { return }
        attributes.size = UInt64(content.size)
        attributes.blocks = UInt64(content.blockCount * (Content.blockSize / 512))
    }
}

/// All files, and how much they may take.
struct Tree {
    private var nodes: [NodeID: Node] = [:]
    private var lastID = NodeID.root
    private var usedBlocks = 0
    static let capacity = 1 << 20

    init(_ root: Attributes) {
        nodes[.root] = Node(.root, root, parent: .root)
    }

    /// - Throws: ESTALE if it is gone.
    func node(_ id: NodeID) throws(Errno) -> Node {
        guard let node = nodes[id] else { throw .staleNFSFileHandle }
        return node
    }

    func child(_ name: FileName, of parent: Node) throws(Errno) -> Node {
        if name.bytes.count > 255 { throw .fileNameTooLong }
        guard let id = parent.directory[name] else { throw .noSuchFileOrDirectory }
        return try node(id)
    }

    mutating func add(_ attributes: Attributes, parent: NodeID) -> Node {
        lastID.rawValue += 1
        let node = Node(lastID, attributes, parent: parent)
        nodes[node.id] = node
        return node
    }

    /// One more reference of the kernel's.
    func entry(_ node: Node) -> Entry {
        node.references += 1
        return Entry(node.id, node.attributes)
    }

    mutating func forget(_ id: NodeID, count: UInt64) {
        guard let node = nodes[id] else { return }
        node.references -= min(count, node.references)
        removeIfGone(node)
    }

    mutating func removeIfGone(_ node: Node) {
        guard node.isGone else { return }
        usedBlocks -= node.content.blockCount
        nodes[node.id] = nil
    }

    /// Changes a file's content, which takes no more than `range` in addition.
    ///
    /// - Throws: ENOSPC.
    mutating func change(
        _ node: Node, adding range: Range<Int64> = 0..<0, _ body: (inout Content) throws(Errno) -> Void
    ) throws(Errno) {
        guard range.count / Content.blockSize <= Tree.capacity,
            usedBlocks + node.content.missing(range) <= Tree.capacity
        else { throw .noSpace }
        let before = node.content.blockCount
        try body(&node.content)
        usedBlocks += node.content.blockCount - before
        node.touch()
    }

    var usage: SpaceUsage {
        SpaceUsage(
            blocks: UInt64(Tree.capacity), freeBlocks: UInt64(Tree.capacity - usedBlocks),
            blockSize: UInt32(Content.blockSize), files: UInt64(UInt32.max),
            freeFiles: UInt64(UInt32.max) - UInt64(nodes.count))
    }
}
