import CFUSE
import FUSEProtocol
import FUSEServer
import SystemPackage

/// Called by libFuzzer with bytes of its invention, as if read from `/dev/fuse`, and as if the kernel had put them into an entry of
/// the ring: they may be refused, but not trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    if let request = try? Message.split(bytes.bytes) {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { _ = serve(request, into: $0) }
    }
    serveEntry(bytes)
    return 0
}

/// Has the filesystem answer.
///
/// - Returns: how long the reply's body is.
private func serve(_ request: borrowing Request, into memory: UnsafeMutableRawBufferPointer) -> Int {
    _ = request.supplementaryGroup
    var reply = ReplyBuffer(memory)
    _ = fileSystem.dispatch(request, reply: &reply)
    precondition(reply.count <= memory.count)
    return reply.count
}

/// The first bytes are an entry's header, the others its payload: exactly as long, so that the fuzzer sees a step beyond it.
private func serveEntry(_ bytes: UnsafeRawBufferPointer) {
    let header = UnsafeMutableRawPointer.allocate(byteCount: RingMessage.headerSize, alignment: 8)
    defer { header.deallocate() }
    header.initializeMemory(as: UInt8.self, repeating: 0, count: RingMessage.headerSize)
    let headerCount = min(bytes.count, RingMessage.headerSize)
    header.copyMemory(from: bytes.baseAddress!, byteCount: headerCount)
    let payload = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count - headerCount, alignment: 8)
    defer { payload.deallocate() }
    payload.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[headerCount...]))
    let message = RingMessage(header: header, payload: payload)
    let unique = message.requestHeader.unique
    // A reply of any length: what a filesystem is told to read, what work on another thread brings.
    var lengths = [Int(message.commitID & 0xffff_ffff)]
    if let request = try? message.request() {
        precondition(request.payload.byteCount <= payload.count)
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { lengths.append(serve(request, into: $0)) }
    }
    for length in lengths {
        message.writeReply(to: unique, count: length)
        let said = header.load(fromByteOffset: 256, as: cfuse_uring_ent_in_out.self).payload_sz
        precondition(Int(said) <= payload.count)
        precondition(header.load(as: fuse_out_header.self).len == 16 + said)
    }
}

private let fileSystem = ReadingFileSystem()

/// Reads every argument that a request brings, and does nothing.
private final class ReadingFileSystem: FileSystem {
    let wantedFlags: InitFlags = []
    func start(_ agreed: InitFlags) {}
    func interruptWaiters() {}
    func stop() {}
    func interrupt(unique: UInt64) {}
    func forget(node: UInt64, count: UInt64) {}

    private func touch(_ name: Name) {
        _ = name.isEntry
        _ = name.string
    }

    private func touch(_ bytes: RawSpan) {
        var sum: UInt8 = 0
        bytes.withUnsafeBytes { for byte in $0 { sum &+= byte } }
    }

    func lookup(_ request: borrowing Request, name: Name, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        touch(name)
        try reply.append(fuse_entry_out())
        return .reply
    }
    func symlink(
        _ request: borrowing Request, name: Name, target: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        touch(name)
        touch(target)
        return .reply
    }
    func mknod(
        _ request: borrowing Request, _ arguments: fuse_mknod_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        touch(name)
        return .reply
    }
    func mkdir(
        _ request: borrowing Request, _ arguments: fuse_mkdir_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        touch(name)
        return .reply
    }
    func unlink(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        touch(name)
        return .reply
    }
    func rmdir(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        touch(name)
        return .reply
    }
    func rename(
        _ request: borrowing Request, name: Name, newParent: UInt64, newName: Name, flags: UInt32
    ) throws(Errno) -> Outcome {
        touch(name)
        touch(newName)
        return .reply
    }
    func link(
        _ request: borrowing Request, oldNode: UInt64, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        touch(name)
        return .reply
    }
    func create(
        _ request: borrowing Request, _ arguments: fuse_create_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        touch(name)
        return .reply
    }
    func write(_ request: borrowing Request, _ arguments: fuse_write_in, reply: inout ReplyBuffer) throws(Errno)
        -> Outcome
    {
        touch(request.payload)
        return .reply
    }
    func readdir(
        _ request: borrowing Request, _ arguments: fuse_read_in, plus: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        while reply.appendEntry(
            inode: 1, nextOffset: 1, type: 4, name: request.payload, limit: Int(arguments.size))
        {}
        return .reply
    }
    func setxattr(
        _ request: borrowing Request, _ arguments: fuse_setxattr_in, name: Name, value: RawSpan
    ) throws(Errno) -> Outcome {
        touch(name)
        touch(value)
        return .reply
    }
    func getxattr(_ request: borrowing Request, name: Name, size: Int, reply: inout ReplyBuffer) throws(Errno)
        -> Outcome
    {
        touch(name)
        reply.append(atMost: size) { $0.count }
        return .reply
    }
    func removexattr(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        touch(name)
        return .reply
    }
    func ioctl(
        _ request: borrowing Request, _ arguments: fuse_ioctl_in, input: RawSpan, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        touch(input)
        return .reply
    }
}
