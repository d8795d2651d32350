// One file that says hello: HelloFS [--transport NAME] MOUNTPOINT
import FUSE

final class HelloFS: FileSystem {
    let greeting = Array("Hello, world!\n".utf8)
    var file: Attributes { Attributes(.file, permissions: 0o444, size: greeting.count) }

    func lookup(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Entry> {
        guard name == "hello" else { throw .noSuchFileOrDirectory }
        return .now(Entry(2, file))
    }
    func getattr(_ node: NodeID, handle: HandleID?, _ request: borrowing Request) throws(Errno) -> Reply<Attributes> {
        .now(node == .root ? Attributes(.directory, permissions: 0o555) : file)
    }
    func readdir(
        _ node: NodeID, handle: HandleID, from position: UInt64, into list: inout DirectoryList,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReaddirResult> {
        .entries([.init(".", .root, .directory), .init("..", .root, .directory), .init("hello", 2, .file)])
    }
    func read(
        _ node: NodeID, handle: HandleID, at offset: Int64, count: Int, into buffer: inout ReplyBuffer,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReadResult> {
        .now(.bytes(Array(greeting.dropFirst(Int(offset)))))
    }
}

serveAndExit(HelloFS())
