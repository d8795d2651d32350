import CFUSE
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import Logging
import Synchronization
import SystemPackage

@testable import LoopbackFS

/// A loopback filesystem over a directory of its own, asked by hand-made messages: no mount, no kernel.
final class Fixture {
    let source: String
    let fileSystem: LoopbackFS
    private var unique: UInt64 = 2

    /// - Parameters:
    ///   - parent: where the directory is made.
    ///   - flags: that INIT agreed on beside those that are wanted.
    ///   - prepare: fills the directory before it is opened.
    init(
        in parent: String = "/tmp", agreed flags: InitFlags = [],
        _ change: (inout LoopbackFS.Configuration) -> Void = { _ in }
    ) throws {
        var template = Array("\(parent)/loopback-test.XXXXXX".utf8CString)
        mkdtemp(&template)
        source = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var configuration = LoopbackFS.Configuration(source: FilePath(source))
        change(&configuration)
        fileSystem = try LoopbackFS(configuration, logger: Logger(label: "test"))
        fileSystem.start(fileSystem.wantedFlags.union(flags))
    }

    deinit {
        fileSystem.stop()
        removeTree(source)
    }

    /// What came of a request.
    enum Answer {
        case reply([UInt8])
        case failure(Errno)
        /// read, write, fsync, deferred or none
        case other(Outcome)

        var errno: Errno? {
            if case .failure(let error) = self { return error }
            return nil
        }

        var bytes: [UInt8]? {
            if case .reply(let bytes) = self { return bytes }
            return nil
        }

        func decode<Value: BitwiseCopyable>(_ type: Value.Type = Value.self, at offset: Int = 0) -> Value? {
            guard let bytes, bytes.count >= offset + MemoryLayout<Value>.size else { return nil }
            return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
        }
    }

    /// Sends a message through the decoder and the dispatcher.
    @discardableResult
    func ask(
        _ opcode: Opcode, _ node: UInt64, _ arguments: [UInt8] = [], names: [String] = [], data: [UInt8] = [],
        room: Int = 65536, unique: UInt64? = nil, user: UInt32 = 0, group: UInt32 = 0,
        process: CInt = getpid()
    ) throws(Errno) -> Answer {
        var header = fuse_in_header()
        var body = arguments
        for name in names { body += Array(name.utf8) + [0] }
        body += data
        header.len = UInt32(MemoryLayout<fuse_in_header>.size + body.count)
        header.opcode = opcode.rawValue
        self.unique += 2
        header.unique = unique ?? self.unique
        header.nodeid = node
        header.uid = user
        header.gid = group
        header.pid = UInt32(process)
        let message = bytes(of: header) + body
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 8)
        defer { memory.deallocate() }
        let request = try Message.split(message.span.bytes)
        var reply = ReplyBuffer(memory)
        let outcome = fileSystem.dispatch(request, reply: &reply)
        switch outcome {
        case .reply: return .reply(Array(memory[..<reply.count]))
        case .failure(let error): return .failure(error)
        default: return .other(outcome)
        }
    }

    func lookup(_ name: String, in parent: UInt64 = 1) throws(Errno) -> fuse_entry_out {
        let answer = try ask(.lookup, parent, names: [name])
        guard let entry = answer.decode(fuse_entry_out.self) else { throw answer.errno ?? .ioError }
        if entry.nodeid == 0 { throw .noSuchFileOrDirectory }
        return entry
    }

    func forget(_ node: UInt64, _ count: UInt64 = 1) throws(Errno) {
        try ask(.forget, node, bytes(of: fuse_forget_in(nlookup: count)))
    }

    func open(_ node: UInt64, _ flags: CInt = O_RDONLY, directory: Bool = false) throws(Errno) -> UInt64 {
        let arguments = bytes(of: fuse_open_in(flags: UInt32(bitPattern: flags), open_flags: 0))
        let answer = try ask(directory ? .opendir : .open, node, arguments)
        guard let out = answer.decode(cfuse_open_out.self) else { throw answer.errno ?? .ioError }
        return out.fh
    }

    func references(_ node: UInt64) -> UInt64? {
        fileSystem.inodes[node]?.references.load(ordering: .relaxed)
    }

    /// Makes a file of the source.
    func write(_ path: String, _ text: String = "") {
        let descriptor = Glibc.open(source + "/" + path, O_CREAT | O_WRONLY | O_TRUNC, 0o644)
        _ = text.withCString { Glibc.write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }
}

/// rm -rf.
func removeTree(_ path: String) {
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name == "." || name == ".." { continue }
        let child = path + "/" + name
        if entry.pointee.d_type == UInt8(DT_DIR) { removeTree(child) } else { unlink(child) }
    }
    closedir(directory)
    rmdir(path)
}
