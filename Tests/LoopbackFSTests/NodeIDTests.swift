import Testing

@testable import LoopbackFS

@Suite("Node ids")
struct NodeIDTests {
    @Test func packedIsReversible() {
        for fileSystem in [0, 1, 77, 32767] {
            for inode: UInt64 in [2, 3, 1 << 32, 1 << 48 - 1] {
                let identity = FileIdentity(fileSystem: fileSystem, inode: inode)
                let node = NodeID.packed(identity)
                #expect(node != nil && node != NodeID.root)
                #expect(node.flatMap(NodeID.unpacked) == identity)
            }
        }
    }

    @Test func whatDoesNotFitIsSequenced() {
        #expect(NodeID.packed(FileIdentity(fileSystem: 0, inode: 1)) == nil)
        #expect(NodeID.packed(FileIdentity(fileSystem: 0, inode: 0)) == nil)
        #expect(NodeID.packed(FileIdentity(fileSystem: 0, inode: 1 << 48)) == nil)
        #expect(NodeID.packed(FileIdentity(fileSystem: 1 << 15, inode: 2)) == nil)
        #expect(NodeID.unpacked(NodeID.sequenced(5)) == nil)
        #expect(NodeID.unpacked(NodeID.root) == nil)
    }
}
