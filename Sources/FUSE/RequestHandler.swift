import CFUSE
import FUSEProtocol
import FUSEServer
import LinuxSystem
import SystemPackage

/// What a session serves for a ``FileSystem``: it hands each request over in Swift's types, and puts the reply into the kernel's.
///
/// An answer that is there at once is written where the transport wants it.
final class RequestHandler<Served: FileSystem>: FUSEServer.FileSystem {
    private let fileSystem: Served
    private let notifier: Notifier
    private let tasks = TaskAnswers()

    init(_ fileSystem: Served, _ notifier: Notifier) {
        self.fileSystem = fileSystem
        self.notifier = notifier
    }

    var wantedFlags: InitFlags { fileSystem.promises }
    func start(_ agreed: InitFlags) { fileSystem.start(notifier) }
    func interruptWaiters() { tasks.stop() }
    func stop() { fileSystem.stop() }
    func interrupt(unique: UInt64) { tasks.interrupt(unique) }

    private var timeouts: Timeouts {
        Timeouts(entry: fileSystem.entryTimeout, attributes: fileSystem.attributeTimeout)
    }

    // MARK: Answers

    /// Puts an answer into the reply, or has it come later.
    ///
    /// - Parameter encode: takes with it nothing of the request.
    @inline(__always)
    private func answer<Value>(
        _ answer: Reply<Value>, _ reply: inout ReplyBuffer,
        _ encode: @escaping @Sendable (Value, inout ReplyBuffer) throws(Errno) -> Void
    ) throws(Errno) -> Outcome {
        switch answer {
        case .now(let value):
            try encode(value, &reply)
            return .reply
        case .later(let deferred):
            return later(deferred) { value throws(Errno) in try encoded(value, encode) }
        }
    }

    private func answer(_ answer: Reply<Void>) -> Outcome {
        switch answer {
        case .now: .reply
        case .later(let deferred): later(deferred) { [] }
        }
    }

    private func later<Value>(
        _ deferred: Deferred<Value>, _ encode: @escaping @Sendable (Value) throws(Errno) -> [UInt8]
    ) -> Outcome {
        switch deferred {
        case .task(let body):
            let tasks = tasks
            return .deferred(
                DeferredWork(blocks: false) { reply in
                    tasks.start(reply) { try encode(try await body()) }
                } orElse: {
                    .resourceTemporarilyUnavailable
                })
        case .thread(let body):
            return .deferred(
                DeferredWork { reply in
                    let bytes: [UInt8]
                    do throws(Errno) {
                        bytes = try encode(try body())
                    } catch {
                        return reply.fail(error)
                    }
                    reply.succeed(bytes)
                } orElse: {
                    .resourceTemporarilyUnavailable
                })
        }
    }

    private func answer(_ answer: Reply<Entry>, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let timeouts = timeouts
        return try self.answer(answer, &reply) { entry, out throws(Errno) in try out.append(timeouts.encoded(entry)) }
    }

    private func answer(
        _ answer: Reply<Attributes>, of node: NodeID, _ reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let timeouts = timeouts
        return try self.answer(answer, &reply) { attributes, out throws(Errno) in
            try out.append(timeouts.encoded(attributes, of: node))
        }
    }

    private func answer(_ answer: Reply<OpenReply>, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        try self.answer(answer, &reply) { open, out throws(Errno) in try out.append(open.encoded) }
    }

    private func answer(_ answer: Reply<Created>, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let timeouts = timeouts
        return try self.answer(answer, &reply) { created, out throws(Errno) in
            try out.append(timeouts.encoded(created.entry))
            try out.append(created.open.encoded)
        }
    }

    // MARK: Names

    func lookup(_ request: borrowing Request, name: Name, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        try answer(fileSystem.lookup(name, in: request.nodeID, request), &reply)
    }

    func forget(node: UInt64, count: UInt64) { fileSystem.forget(NodeID(rawValue: node), count: count) }

    func symlink(
        _ request: borrowing Request, name: Name, target: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(fileSystem.symlink(name, in: request.nodeID, target: target, request), &reply)
    }

    func mknod(
        _ request: borrowing Request, _ arguments: fuse_mknod_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(
            fileSystem.mknod(
                name, in: request.nodeID, FileKind(rawValue: arguments.mode), permissions: permissions(arguments.mode),
                device: arguments.rdev, request), &reply)
    }

    func mkdir(
        _ request: borrowing Request, _ arguments: fuse_mkdir_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(
            fileSystem.mkdir(name, in: request.nodeID, permissions: permissions(arguments.mode), request), &reply)
    }

    func unlink(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        answer(try fileSystem.unlink(name, in: request.nodeID, request))
    }

    func rmdir(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        answer(try fileSystem.rmdir(name, in: request.nodeID, request))
    }

    func rename(
        _ request: borrowing Request, name: Name, newParent: UInt64, newName: Name, flags: UInt32
    ) throws(Errno) -> Outcome {
        answer(
            try fileSystem.rename(
                name, in: request.nodeID, to: newName, in: NodeID(rawValue: newParent),
                flags: RenameFlags(rawValue: flags), request))
    }

    func link(
        _ request: borrowing Request, oldNode: UInt64, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(fileSystem.link(NodeID(rawValue: oldNode), as: name, in: request.nodeID, request), &reply)
    }

    func readlink(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        try answer(fileSystem.readlink(request.nodeID, request), &reply) { target, out throws(Errno) in
            try unsafe out.append(target.bytes.span.bytes)
        }
    }

    // MARK: Attributes

    func getattr(
        _ request: borrowing Request, _ arguments: fuse_getattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let handle =
            arguments.getattr_flags & UInt32(FUSE_GETATTR_FH) != 0 ? HandleID(rawValue: arguments.fh) : nil
        return try answer(fileSystem.getattr(request.nodeID, handle: handle, request), of: request.nodeID, &reply)
    }

    func setattr(
        _ request: borrowing Request, _ arguments: fuse_setattr_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(
            fileSystem.setattr(request.nodeID, AttributeChanges(arguments), request), of: request.nodeID, &reply)
    }

    func access(_ request: borrowing Request, mask: UInt32) throws(Errno) -> Outcome {
        answer(try fileSystem.access(request.nodeID, mask: mask, request))
    }

    func getxattr(
        _ request: borrowing Request, name: Name, size: Int, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(fileSystem.getxattr(name, of: request.nodeID, request), &reply) { value, out throws(Errno) in
            try out.append(attribute: value, size: size)
        }
    }

    func listxattr(_ request: borrowing Request, size: Int, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        try answer(fileSystem.listxattr(of: request.nodeID, request), &reply) { names, out throws(Errno) in
            try out.append(attribute: names.flatMap { $0.bytes + [0] }, size: size)
        }
    }

    func setxattr(
        _ request: borrowing Request, _ arguments: fuse_setxattr_in, name: Name, value: RawSpan
    ) throws(Errno) -> Outcome {
        answer(
            try fileSystem.setxattr(
                name, of: request.nodeID, value: value, flags: XattrFlags(rawValue: arguments.flags), request))
    }

    func removexattr(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        answer(try fileSystem.removexattr(name, of: request.nodeID, request))
    }

    // MARK: Open files

    func open(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(fileSystem.open(request.nodeID, flags: OpenFlags(arguments.flags), request), &reply)
    }

    func create(
        _ request: borrowing Request, _ arguments: fuse_create_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(
            fileSystem.create(
                name, in: request.nodeID, permissions: permissions(arguments.mode), flags: OpenFlags(arguments.flags),
                request), &reply)
    }

    func tmpfile(
        _ request: borrowing Request, _ arguments: fuse_create_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(
            fileSystem.tmpfile(
                in: request.nodeID, permissions: permissions(arguments.mode), flags: OpenFlags(arguments.flags),
                request), &reply)
    }

    func read(
        _ request: borrowing Request, _ arguments: fuse_read_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard let offset = Int64(exactly: arguments.offset) else { throw .invalidArgument }
        let count = Int(arguments.size)
        let content = try fileSystem.read(
            request.nodeID, handle: HandleID(rawValue: arguments.fh), at: offset, count: count, into: &reply, request)
        switch content {
        case .now(.buffer): return .reply
        case .now(.bytes(let bytes)):
            try unsafe reply.append(bytes.span.extracting(first: count).bytes)
            return .reply
        case .now(.file(let file, let start)): return .read(file, offset: start, count: count)
        case .later(let deferred):
            return later(deferred) { content throws(Errno) in try content.read(count) }
        }
    }

    func write(
        _ request: borrowing Request, _ arguments: fuse_write_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard let offset = Int64(exactly: arguments.offset) else { throw .invalidArgument }
        let written = try fileSystem.write(
            request.nodeID, handle: HandleID(rawValue: arguments.fh), at: offset, request.payload, request)
        if case .now(.file(let file, let start)) = written { return .write(file, offset: start, flags: 0) }
        return try answer(written, &reply) { written, out throws(Errno) in
            guard case .count(let count) = written else { throw .ioError }
            try out.append(fuse_write_out(size: UInt32(count), padding: 0))
        }
    }

    func flush(_ request: borrowing Request, _ arguments: fuse_flush_in) throws(Errno) -> Outcome {
        answer(try fileSystem.flush(request.nodeID, handle: HandleID(rawValue: arguments.fh), request))
    }

    func release(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        fileSystem.release(request.nodeID, handle: HandleID(rawValue: arguments.fh))
        return .reply
    }

    func fsync(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        answer(
            try fileSystem.fsync(
                request.nodeID, handle: HandleID(rawValue: arguments.fh), dataOnly: arguments.fsync_flags & 1 != 0,
                request))
    }

    func fallocate(_ request: borrowing Request, _ arguments: fuse_fallocate_in) throws(Errno) -> Outcome {
        guard let offset = Int64(exactly: arguments.offset), let length = Int64(exactly: arguments.length) else {
            throw .invalidArgument
        }
        return answer(
            try fileSystem.fallocate(
                request.nodeID, handle: HandleID(rawValue: arguments.fh), mode: arguments.mode, at: offset,
                length: length, request))
    }

    func lseek(
        _ request: borrowing Request, _ arguments: fuse_lseek_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard let offset = Int64(exactly: arguments.offset) else { throw .noSuchAddressOrDevice }
        // SEEK_DATA and SEEK_HOLE.
        guard arguments.whence == 3 || arguments.whence == 4 else { throw .invalidArgument }
        let found = try fileSystem.lseek(
            request.nodeID, handle: HandleID(rawValue: arguments.fh), from: offset,
            to: arguments.whence == 3 ? .data : .hole, request)
        return try answer(found, &reply) { offset, out throws(Errno) in
            try out.append(fuse_lseek_out(offset: UInt64(bitPattern: offset)))
        }
    }

    func poll(
        _ request: borrowing Request, _ arguments: fuse_poll_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let waker =
            arguments.flags & UInt32(FUSE_POLL_SCHEDULE_NOTIFY) != 0 ? PollWaker(rawValue: arguments.kh) : nil
        let events = try fileSystem.poll(
            request.nodeID, handle: HandleID(rawValue: arguments.fh), PollEvents(rawValue: arguments.events),
            waker: waker, request)
        return try answer(events, &reply) { events, out throws(Errno) in
            try out.append(fuse_poll_out(revents: events.rawValue, padding: 0))
        }
    }

    // MARK: Directories

    func opendir(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try answer(fileSystem.opendir(request.nodeID, flags: OpenFlags(arguments.flags), request), &reply)
    }

    func readdir(
        _ request: borrowing Request, _ arguments: fuse_read_in, plus: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let timeouts = timeouts
        let position = arguments.offset
        let size = Int(arguments.size)
        var deferred: Deferred<ReaddirResult>?
        try unsafe reply.append(atMost: size) { room throws(Errno) in
            var list = unsafe DirectoryList(ReplyBuffer(room), takesEntries: plus, timeouts: timeouts)
            let listing = try fileSystem.readdir(
                request.nodeID, handle: HandleID(rawValue: arguments.fh), from: position, into: &list, request)
            switch listing {
            case .now(.list): break
            case .now(.entries(let all)): list.append(all, from: position)
            case .later(let work): deferred = work
            }
            return list.byteCount
        }
        guard let deferred else { return .reply }
        return later(deferred) { listing throws(Errno) in
            listing.encoded(from: position, size: size, plus: plus, timeouts)
        }
    }

    func releasedir(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        fileSystem.releasedir(request.nodeID, handle: HandleID(rawValue: arguments.fh))
        return .reply
    }

    func fsyncdir(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        answer(
            try fileSystem.fsyncdir(
                request.nodeID, handle: HandleID(rawValue: arguments.fh), dataOnly: arguments.fsync_flags & 1 != 0,
                request))
    }

    // MARK: The whole

    func statfs(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        try answer(fileSystem.statfs(request.nodeID, request), &reply) { usage, out throws(Errno) in
            try out.append(usage.encoded)
        }
    }

    func syncfs(_ request: borrowing Request) throws(Errno) -> Outcome { answer(try fileSystem.syncfs(request)) }
}

/// The lower twelve bits of a mode.
private func permissions(_ mode: UInt32) -> UInt16 { UInt16(mode & 0o7777) }
