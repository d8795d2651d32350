package import CFUSE
package import FUSEProtocol
package import FUSEServer
import LinuxSystem
import Synchronization
package import SystemPackage

/// Names, and what is made under them.
extension FaultyFileSystem {
    package func lookup(_ request: borrowing Request, name: Name, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        if fault == .openByName {
            let entry = try find(request, name)
            remember(request.node, name, as: entry.nodeid)
            try reply.append(entry)
            return .reply
        }
        if fault == .lookupFailsSeldom, isTurn(300) { throw .noSuchFileOrDirectory }
        return try changingEntry(&reply) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.lookup(request, name: name, reply: &reply)
        }
    }

    package func symlink(
        _ request: borrowing Request, name: Name, target: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let made = request.as(creator(request))
        return try changingEntry(&reply) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.symlink(made, name: name, target: target, reply: &reply)
        }
    }

    package func mknod(
        _ request: borrowing Request, _ arguments: fuse_mknod_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        var changed = arguments
        if fault == .maskIgnored { changed.umask = 0 }
        let made = request.as(creator(request))
        return try changingEntry(&reply) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.mknod(made, changed, name: name, reply: &reply)
        }
    }

    package func mkdir(
        _ request: borrowing Request, _ arguments: fuse_mkdir_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        var changed = arguments
        if fault == .maskIgnored { changed.umask = 0 }
        let made = request.as(creator(request))
        return try changingEntry(&reply) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.mkdir(made, changed, name: name, reply: &reply)
        }
    }

    package func create(
        _ request: borrowing Request, _ arguments: fuse_create_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        var changed = arguments
        if fault == .maskIgnored { changed.umask = 0 }
        let made = request.as(creator(request))
        guard fault == .createOpensExisting || fault == .waitsForFIFO else {
            return try changingEntry(&reply, isOpened: true) { (reply: inout ReplyBuffer) throws(Errno) in
                try inner.create(made, changed, name: name, reply: &reply)
            }
        }
        do throws(Errno) {
            return try inner.create(made, changed, name: name, reply: &reply)
        } catch  where error == .fileExists || error == .staleNFSFileHandle {
            return try openExisting(request, arguments, name: name, reply: &reply)
        }
    }

    package func tmpfile(
        _ request: borrowing Request, _ arguments: fuse_create_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try changingEntry(&reply, isOpened: true) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.tmpfile(request, arguments, reply: &reply)
        }
    }

    package func link(
        _ request: borrowing Request, oldNode: UInt64, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try changingEntry(&reply) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.link(request, oldNode: oldNode, name: name, reply: &reply)
        }
    }

    package func unlink(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        if fault == .lostUnlink { return .reply }
        return try inner.unlink(request, name: name)
    }

    package func rmdir(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        do throws(Errno) {
            return try inner.rmdir(request, name: name)
        } catch .directoryNotEmpty where fault == .wrongErrno {
            throw .resourceBusy
        }
    }

    package func rename(
        _ request: borrowing Request, name: Name, newParent: UInt64, newName: Name, flags: UInt32
    ) throws(Errno) -> Outcome {
        let flags = fault == .droppedRenameFlag ? 0 : flags
        return try inner.rename(request, name: name, newParent: newParent, newName: newName, flags: flags)
    }

    package func readlink(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        guard fault == .cutLinkTarget else { return try inner.readlink(request, reply: &reply) }
        return try rewriting(&reply, size: 8192) { (reply: inout ReplyBuffer) throws(Errno) in
            try inner.readlink(request, reply: &reply)
        } change: { bytes in
            Array(bytes.dropLast())
        }
    }

    /// The user and group that creations are made as.
    private func creator(_ request: borrowing Request) -> (UInt32, UInt32) {
        switch fault {
        case .wrongOwner: (0, 0)
        case .wrongGroup: (request.header.uid, 0)
        case .callersMixedUp: creatorAtTheSameMoment(request)
        default: (request.header.uid, request.header.gid)
        }
    }

    /// Somebody else, if one created something in the last two milliseconds.
    private func creatorAtTheSameMoment(_ request: borrowing Request) -> (UInt32, UInt32) {
        let now = MonotonicClock.now()
        let (user, group) = (request.header.uid, request.header.gid)
        return lastCreator.withLock { last in
            defer { last = (user, group, now) }
            return now - last.time < 2_000_000 ? (last.user, last.group) : (user, group)
        }
    }

    /// Changes the attributes in a reply that is an entry, and an open file after it.
    private func changingEntry(
        _ reply: inout ReplyBuffer, isOpened: Bool = false, _ body: (inout ReplyBuffer) throws(Errno) -> Outcome
    ) throws(Errno) -> Outcome {
        guard changesAttributes else { return try body(&reply) }
        let size = MemoryLayout<fuse_entry_out>.size + (isOpened ? MemoryLayout<fuse_open_out>.size : 0)
        return try rewriting(&reply, size: size, body) { bytes in
            var bytes = bytes
            bytes.withUnsafeMutableBytes { memory in
                guard memory.count >= MemoryLayout<fuse_entry_out>.size else { return }
                var entry = memory.loadUnaligned(as: fuse_entry_out.self)
                change(&entry.attr, of: entry.nodeid)
                memory.storeBytes(of: entry, as: fuse_entry_out.self)
            }
            return bytes
        }
    }

    /// Changes the attributes of one file.
    func change(_ attributes: inout fuse_attr, of node: UInt64) {
        switch fault {
        case .wrongLinkCount: if attributes.mode & 0o170000 != 0o040000 { attributes.nlink += 1 }
        case .unstableInode: attributes.ino += UInt64(counter.add(1, ordering: .relaxed).newValue)
        case .staleAttribute:
            let now = attributes
            let told = first.withLock { first in
                first[node] = first[node] ?? now
                return first[node] ?? now
            }
            (attributes.mode, attributes.mtime, attributes.mtimensec) = (told.mode, told.mtime, told.mtimensec)
        case .forgetsTooMuch: _ = forgotten.withLock { $0.remove(node) }
        case .modeToldOnly:
            if let mode = modes.withLock({ $0[node] }) { attributes.mode = attributes.mode & 0o170000 | mode }
        default: break
        }
    }
}

extension Request {
    /// The same request from another user.
    @_lifetime(copy self)
    fileprivate func `as`(_ ids: (user: UInt32, group: UInt32)) -> Request {
        var header = header
        header.uid = ids.user
        header.gid = ids.group
        return Request(header: header, arguments: arguments, payload: payload)
    }
}

extension FaultyFileSystem {
    /// Lets `body` write its reply elsewhere, and passes it on changed.
    func rewriting(
        _ reply: inout ReplyBuffer, size: Int, _ body: (inout ReplyBuffer) throws(Errno) -> Outcome,
        change: ([UInt8]) -> [UInt8]
    ) throws(Errno) -> Outcome {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        defer { memory.deallocate() }
        var other = ReplyBuffer(memory)
        let outcome = try body(&other)
        guard case .reply = outcome else { return outcome }
        let changed = change(Array(memory[..<other.count]))
        try reply.append(changed.span.bytes)
        return .reply
    }
}
