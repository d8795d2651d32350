import Testing

@testable import LoopbackFS

@Suite("Node ids")
struct NodeIDTests {
    @Test func packedIsReversible() {
        for fileSystem in [0, 1, 77, 127] {
            for inode: UInt64 in [2, 3, 1 << 32, 1 << 48 - 1] {
                for generation: UInt32 in [0, 1, 0xff, .max] {
                    let identity = FileIdentity(fileSystem: fileSystem, inode: inode)
                    let node = NodeID.packed(identity, generation: generation)
                    #expect(node != nil && node != NodeID.root)
                    #expect(node.flatMap(NodeID.unpacked) == identity)
                }
            }
        }
    }

    @Test func generationsHaveNodesOfTheirOwn() {
        let identity = FileIdentity(fileSystem: 0, inode: 12)
        let nodes = (0..<256).map { NodeID.packed(identity, generation: UInt32($0)) }
        #expect(Set(nodes).count == 256)
        #expect(NodeID.visibleNumber(identity) == 12)
    }

    @Test func whatDoesNotFitIsSequenced() {
        #expect(NodeID.packed(FileIdentity(fileSystem: 0, inode: 1), generation: 0) == nil)
        #expect(NodeID.packed(FileIdentity(fileSystem: 0, inode: 0), generation: 0) == nil)
        #expect(NodeID.packed(FileIdentity(fileSystem: 0, inode: 1 << 48), generation: 0) == nil)
        #expect(NodeID.packed(FileIdentity(fileSystem: 1 << 7, inode: 2), generation: 0) == nil)
        #expect(NodeID.unpacked(NodeID.sequenced(5)) == nil)
        #expect(NodeID.unpacked(NodeID.root) == nil)
    }
}
