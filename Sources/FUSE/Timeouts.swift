import CFUSE

/// How long the kernel may keep what it was told, and the replies that say so.
struct Timeouts: Sendable {
    let entry: Duration
    let attributes: Duration

    func encoded(_ entry: Entry) -> fuse_entry_out {
        let name = Timeouts.split(entry.entryTimeout ?? self.entry)
        let attributes = Timeouts.split(entry.attributeTimeout ?? self.attributes)
        return fuse_entry_out(
            nodeid: entry.node.rawValue, generation: entry.generation, entry_valid: name.seconds,
            attr_valid: attributes.seconds, entry_valid_nsec: name.nanoseconds,
            attr_valid_nsec: attributes.nanoseconds, attr: entry.attributes.encoded(entry.node))
    }

    func encoded(_ attributes: Attributes, of node: NodeID) -> fuse_attr_out {
        let timeout = Timeouts.split(self.attributes)
        return fuse_attr_out(
            attr_valid: timeout.seconds, attr_valid_nsec: timeout.nanoseconds, dummy: 0, attr: attributes.encoded(node))
    }

    /// Never negative: the kernel counts without a sign.
    private static func split(_ duration: Duration) -> (seconds: UInt64, nanoseconds: UInt32) {
        let (seconds, attoseconds) = max(.zero, duration).components
        return (UInt64(seconds), UInt32(attoseconds / 1_000_000_000))
    }
}
