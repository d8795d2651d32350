// A hundred files and more whose content takes a second to come, as from a server far away: SlowFS [--transport NAME] MOUNTPOINT
import FUSE

/// Stands for a server that one has to await.
actor Server {
    func content(of number: UInt64) async throws -> [UInt8] {
        try await Task.sleep(for: .seconds(1))
        return Array("This is file \(number).\n".utf8)
    }
}

final class SlowFS: FileSystem {
    private let server = Server()
    private static let firstNode: UInt64 = 2

    private func attributes(of node: NodeID) -> Attributes {
        let number = "\(node.rawValue - SlowFS.firstNode)"
        return Attributes(.file, permissions: 0o444, size: "This is file .\n".utf8.count + number.utf8.count)
    }

    func lookup(_ name: Name, in parent: NodeID, _ request: borrowing Request) throws(Errno) -> Reply<Entry> {
        guard let number = UInt64(name.string), number < 1000 else { throw .noSuchFileOrDirectory }
        let node = NodeID(rawValue: number + SlowFS.firstNode)
        return .now(Entry(node, attributes(of: node)))
    }

    func getattr(_ node: NodeID, handle: HandleID?, _ request: borrowing Request) throws(Errno) -> Reply<Attributes> {
        .now(node == .root ? Attributes(.directory, permissions: 0o555) : attributes(of: node))
    }

    func read(
        _ node: NodeID, handle: HandleID, at offset: Int64, count: Int, into buffer: inout ReplyBuffer,
        _ request: borrowing Request
    ) throws(Errno) -> Reply<ReadResult> {
        let server = server
        // No thread waits: the transport's goes on to the next request.
        return .async {
            .bytes(Array(try await server.content(of: node.rawValue - SlowFS.firstNode).dropFirst(Int(offset))))
        }
    }
}

serveAndExit(SlowFS())
