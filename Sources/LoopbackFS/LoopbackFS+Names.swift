package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// Operations on the entries of directories.
extension LoopbackFS {
    package func lookup(
        _ request: borrowing Request, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        if !name.isEntry { return try lookupSpecial(request.node, name: name, reply: &reply) }
        let parent = try directory(request.node)
        let pin = try parent.pin()
        do throws(Errno) {
            let (inode, status) = try unsafe name.withCString { name throws(Errno) in
                try unsafe find(name, in: parent, pin.descriptor)
            }
            try replyEntry(inode, status, &reply)
        } catch .noSuchFileOrDirectory {
            // Node 0 lets the kernel remember that there is no such entry.
            guard entryTimeout > 0 else { throw .noSuchFileOrDirectory }
            var absent = fuse_entry_out()
            let timeout = LoopbackFS.split(entryTimeout)
            absent.entry_valid = timeout.seconds
            absent.entry_valid_nsec = timeout.nanoseconds
            try reply.append(absent)
        }
        return .reply
    }

    /// LOOKUP of `.` and `..`, which the kernel asks for file handles only (`FUSE_EXPORT_SUPPORT`).
    private func lookupSpecial(_ node: UInt64, name: Name, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        if name.equals(".") {
            if let inode = inodes[node], let pin = try? inode.pin(), let status = try? Attributes.of(pin.descriptor),
                inodes.reference(inode)
            {
                try replyEntry(inode, status, &reply)
            } else {
                let (inode, status) = try reopen(node)
                try replyEntry(inode, status, &reply)
            }
            return .reply
        }
        guard name.equals("..") else { throw .invalidArgument }
        let child = try directory(node)
        let pin = try child.pin()
        // A directory that somebody moved out of the source has no parent here.
        guard isInside(pin.descriptor) else { throw .staleNFSFileHandle }
        let above = child === root ? "." : ".."
        let (inode, status) = try unsafe adopt(try openPath(above, in: pin.descriptor, flags: O_DIRECTORY))
        try replyEntry(inode, status, &reply)
        return .reply
    }

    /// Replies an entry that was counted; takes the count back if it does not fit.
    func replyEntry(_ inode: Inode, _ status: borrowing FileStatus, _ reply: inout ReplyBuffer) throws(Errno) {
        do throws(Errno) {
            try reply.append(entry(inode, status))
        } catch {
            forget(node: inode.node, count: 1)
            throw error
        }
    }

    package func symlink(
        _ request: borrowing Request, name: Name, target: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try unsafe make(request, name: name, umask: 0, reply: &reply) { parent, name throws(Errno) in
            try unsafe target.withCString { target throws(Errno) in
                _ = try Errno.check { unsafe symlinkat(target, parent, name) }
            }
        }
    }

    package func mknod(
        _ request: borrowing Request, _ arguments: fuse_mknod_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let device = Attributes.decodedDevice(arguments.rdev)
        return try unsafe make(request, name: name, umask: arguments.umask, reply: &reply) {
            parent, name throws(Errno) in
            _ = try Errno.check { unsafe clinux_mknodat(parent, name, arguments.mode, device.major, device.minor) }
        }
    }

    package func mkdir(
        _ request: borrowing Request, _ arguments: fuse_mkdir_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try unsafe make(request, name: name, umask: arguments.umask, reply: &reply) { parent, name throws(Errno) in
            _ = try Errno.check { unsafe mkdirat(parent, name, arguments.mode) }
        }
    }

    /// Makes an entry as the caller and replies it.
    private func make(
        _ request: borrowing Request, name: Name, umask: UInt32, reply: inout ReplyBuffer,
        _ body: (CInt, UnsafePointer<CChar>) throws(Errno) -> Void
    ) throws(Errno) -> Outcome {
        guard name.isEntry else { throw .invalidArgument }
        let parent = try directory(request.node)
        let pin = try parent.pin()
        let caller = Caller(request)
        let (inode, status) = try unsafe name.withCString { name throws(Errno) in
            try credentials.creating(as: caller, umask: umask) { () throws(Errno) in
                try unsafe body(pin.descriptor, name)
            }
            return try unsafe find(name, in: parent, pin.descriptor, likelyKnown: false)
        }
        try replyEntry(inode, status, &reply)
        return .reply
    }

    package func link(
        _ request: borrowing Request, oldNode: UInt64, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard name.isEntry else { throw .invalidArgument }
        let parent = try directory(request.node)
        let old = try inode(oldNode)
        let parentPin = try parent.pin()
        let oldPin = try old.pin()
        try unsafe name.withCString { name throws(Errno) in
            try unsafe DescriptorPath(oldPin.descriptor).withCString { path throws(Errno) in
                _ = try Errno.check { unsafe linkat(descriptors, path, parentPin.descriptor, name, AT_SYMLINK_FOLLOW) }
            }
        }
        let status = try Attributes.of(oldPin.descriptor)
        guard inodes.reference(old) else { throw .staleNFSFileHandle }
        try replyEntry(old, status, &reply)
        return .reply
    }

    package func unlink(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        try remove(request, name: name, flags: 0)
    }

    package func rmdir(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        try remove(request, name: name, flags: AT_REMOVEDIR)
    }

    private func remove(_ request: borrowing Request, name: Name, flags: CInt) throws(Errno) -> Outcome {
        guard name.isEntry else { throw .invalidArgument }
        let parent = try directory(request.node)
        let pin = try parent.pin()
        try unsafe name.withCString { name throws(Errno) in
            try unsafe keepVictim(name, in: pin.descriptor)
            func remove() throws(Errno) {
                _ = try Errno.check { unsafe unlinkat(pin.descriptor, name, flags) }
            }
            guard parent.isSticky else { return try remove() }
            try credentials.removingFromSticky(
                as: Caller(request), connection: connection, owner: { unsafe owner(name, in: pin.descriptor) }, remove)
        }
        return .reply
    }

    package func rename(
        _ request: borrowing Request, name: Name, newParent: UInt64, newName: Name, flags: UInt32
    ) throws(Errno) -> Outcome {
        guard name.isEntry, newName.isEntry else { throw .invalidArgument }
        let from = try directory(request.node)
        let to = try directory(newParent)
        let fromPin = try from.pin()
        let toPin = try to.pin()
        let caller = Caller(request)
        try unsafe name.withCString { name throws(Errno) in
            try unsafe newName.withCString { newName throws(Errno) in
                if flags & UInt32(CLINUX_RENAME_EXCHANGE | CLINUX_RENAME_NOREPLACE) == 0 {
                    try unsafe keepVictim(newName, in: toPin.descriptor)
                }
                func rename() throws(Errno) {
                    // A whiteout is a file that is created; whose it is follows the caller.
                    try credentials.creating(as: flags & UInt32(CLINUX_RENAME_WHITEOUT) != 0 ? caller : nil, umask: 0) {
                        () throws(Errno) in
                        _ = try Errno.check {
                            unsafe clinux_renameat2(fromPin.descriptor, name, toPin.descriptor, newName, flags)
                        }
                    }
                }
                guard from.isSticky || to.isSticky else { return try rename() }
                try credentials.removingFromSticky(
                    as: caller, connection: connection, owner: { unsafe owner(name, in: fromPin.descriptor) }, rename)
            }
        }
        return .reply
    }

    private func owner(_ name: UnsafePointer<CChar>, in directory: CInt) -> UInt32? {
        unsafe try? Attributes.of(name, in: directory).stx_uid
    }

    /// Before an entry goes: an inode that lives by its handle alone would be lost with the file's last name, though a
    /// client may still have it as its working directory, or hold a descriptor of O_PATH to it.
    ///
    /// - Throws: ENFILE if there are no descriptors left: better than that the client loses what it has.
    private func keepVictim(_ name: UnsafePointer<CChar>, in directory: CInt) throws(Errno) {
        guard cache.capacity > 0, let status = unsafe try? Attributes.of(name, in: directory),
            status.isDirectory || status.stx_nlink == 1, let fileSystem = fileSystems.find(status),
            let inode = inodes.latest(status.identity(in: fileSystem))
        else { return }
        do throws(Errno) {
            try makingRoom { () throws(Errno) in try inode.keep() }
        } catch .tooManyOpenFilesInSystem {
            throw .tooManyOpenFilesInSystem
        } catch {
            // It is gone already, or its mount is.
        }
    }

    package func readlink(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let inode = try inode(request.node)
        let pin = try inode.pin()
        try unsafe reply.append(atMost: Int(PATH_MAX)) { buffer throws(Errno) in
            try Errno.check {
                unsafe readlinkat(
                    pin.descriptor, "", buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
            }
        }
        return .reply
    }
}
