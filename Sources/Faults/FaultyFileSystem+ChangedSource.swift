import CFUSE
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage

/// What goes wrong when somebody has changed the source between the kernel's look at a name and the request.
extension FaultyFileSystem {
    /// CREATE of a name that is there by now: opens it, whoever may, as a daemon without O_EXCL does.
    func openExisting(
        _ request: borrowing Request, _ arguments: fuse_create_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let entry = try find(request, name)
        if fault == .waitsForFIFO {
            // As open(2) of a FIFO does whose other end nobody opens.
            while entry.attr.mode & S_IFMT == S_IFIFO { sleep(1) }
            throw .fileExists
        }
        guard entry.attr.mode & S_IFMT == S_IFREG else {
            inner.forget(node: entry.nodeid, count: 1)
            throw .fileExists
        }
        try reply.append(entry)
        let opening = fuse_open_in(flags: arguments.flags, open_flags: arguments.open_flags)
        return try inner.open(request.of(node: entry.nodeid), opening, reply: &reply)
    }

    /// Writes down by which name a node was found.
    func remember(_ parent: UInt64, _ name: Name, as node: UInt64) {
        let bytes = name.withCString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0) + 1)) }
        names.withLock { $0[node] = (parent, bytes) }
    }

    /// OPEN of whatever has the node's name now, as a daemon does that keeps paths.
    func openByName(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard let (parent, bytes) = names.withLock({ $0[request.node] }) else {
            return try inner.open(request, arguments, reply: &reply)
        }
        let entry = try find(request.of(node: parent), try Name(in: bytes.span.bytes))
        defer { inner.forget(node: entry.nodeid, count: 1) }
        return try inner.open(request.of(node: entry.nodeid), arguments, reply: &reply)
    }

    /// LOOKUP, which counts a reference.
    func find(_ request: borrowing Request, _ name: Name) throws(Errno) -> fuse_entry_out {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: MemoryLayout<fuse_entry_out>.size, alignment: 8)
        defer { memory.deallocate() }
        var reply = ReplyBuffer(memory)
        _ = try inner.lookup(request, name: name, reply: &reply)
        let entry = memory.load(as: fuse_entry_out.self)
        guard entry.nodeid != 0 else { throw .noSuchFileOrDirectory }
        return entry
    }
}

extension Request {
    /// The same request about another node.
    @_lifetime(copy self)
    fileprivate func of(node: UInt64) -> Request {
        var header = header
        header.nodeid = node
        return Request(header: header, arguments: arguments, payload: payload)
    }
}
