package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
package import SystemPackage

/// Opening and closing of files.
extension LoopbackFS {
    /// Gives the filesystem the means of passthrough: `FUSE_DEV_IOC_BACKING_OPEN` and `…_CLOSE` on the connection's
    /// device. To be called before the first OPEN; without it nothing passes through.
    package func setBackingRegistration(
        register: @escaping @Sendable (CInt) throws(Errno) -> Int32, unregister: @escaping @Sendable (Int32) -> Void
    ) {
        passthroughFiles.setRegistration(register: register, unregister: unregister)
    }

    package func open(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let inode = try inode(request.node)
        // The kernel opens FIFOs and devices itself; opening one here could block or do things.
        guard inode.isRegular else { throw inode.isDirectory ? .isDirectory : .noSuchAddressOrDevice }
        let flags = CInt(bitPattern: arguments.flags)
        do throws(Errno) {
            try reply.append(try open(inode, flags, arguments, Caller(request), waits: false))
            return .reply
        } catch .resourceTemporarilyUnavailable {
            // Somebody has a lease (fcntl(2), F_SETLEASE) on the file, and some time to give it up.
        }
        let caller = Caller(request)
        return .deferred(
            DeferredWork(dependsOnOthers: true) { [self] reply in
                do throws(Errno) {
                    let out = try open(inode, flags, arguments, caller, waits: true)
                    reply.succeed(bytes(of: out))
                } catch {
                    reply.fail(error)
                }
            } orElse: {
                .resourceTemporarilyUnavailable
            })
    }

    private func open(
        _ inode: Inode, _ flags: CInt, _ arguments: fuse_open_in, _ caller: Caller, waits: Bool
    ) throws(Errno) -> cfuse_open_out {
        let pin = try inode.pin()
        let descriptor: CInt
        if flags & O_TRUNC != 0, arguments.open_flags & UInt32(FUSE_OPEN_KILL_SUIDGID) != 0,
            try Attributes.of(pin.descriptor).hasSetID
        {
            descriptor = try credentials.droppingSetID(as: caller) { () throws(Errno) in
                try reopen(pin.descriptor, flags, waits: waits)
            }
        } else {
            descriptor = try reopen(pin.descriptor, flags, waits: waits)
        }
        return opened(inode, descriptor, flags)
    }

    package func create(
        _ request: borrowing Request, _ arguments: fuse_create_in, name: Name, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard name.isEntry else { throw .invalidArgument }
        let flags = CInt(bitPattern: arguments.flags)
        // The kernel held the name to be absent and checked nothing but the directory: what is there by now (a private file,
        // a FIFO that would block, a link) must not be opened with the daemon's rights.
        let backingFlags = backingFlags(flags) | O_CREAT | O_EXCL | O_NOFOLLOW
        return try create(request, arguments, flags: flags, keep: false, reply: &reply) { parent throws(Errno) in
            do throws(Errno) {
                return try unsafe name.withCString { name throws(Errno) in
                    try Errno.check { unsafe clinux_openat(parent, name, backingFlags, arguments.mode) }
                }
            } catch .fileExists where flags & O_EXCL == 0 {
                // Lets the kernel look the name up again (once) and check permissions for what it finds.
                throw .staleNFSFileHandle
            }
        }
    }

    package func tmpfile(
        _ request: borrowing Request, _ arguments: fuse_create_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let flags = CInt(bitPattern: arguments.flags)
        // O_EXCL here means that the file may not be linked later.
        let backingFlags = backingFlags(flags) | CLINUX_O_TMPFILE | flags & O_EXCL
        // Without a name its handle leads nowhere once the descriptor is closed.
        return try create(request, arguments, flags: flags, keep: true, reply: &reply) { parent throws(Errno) in
            try Errno.check { unsafe clinux_openat(parent, ".", backingFlags, arguments.mode) }
        }
    }

    private func create(
        _ request: borrowing Request, _ arguments: fuse_create_in, flags: CInt, keep: Bool, reply: inout ReplyBuffer,
        _ body: (CInt) throws(Errno) -> CInt
    ) throws(Errno) -> Outcome {
        let parent = try directory(request.node)
        let pin = try parent.pin()
        let caller = Caller(request)
        let kills = arguments.open_flags & UInt32(FUSE_OPEN_KILL_SUIDGID) != 0
        let descriptor = try credentials.creating(as: caller, umask: arguments.umask) { () throws(Errno) in
            try makingRoom { () throws(Errno) in
                guard kills else { return try body(pin.descriptor) }
                return try credentials.withoutSetIDCapability { () throws(Errno) in try body(pin.descriptor) }
            }
        }
        let inode: Inode
        let status: FileStatus
        do throws(Errno) {
            status = try Attributes.of(descriptor)
            let byHandle = fileSystems.find(status)?.hasHandles ?? false
            let path = byHandle && !keep ? nil : try reopen(descriptor, CLINUX_O_PATH)
            inode = adopt(status, handleFrom: descriptor, descriptor: path, keep: keep)
        } catch {
            close(descriptor)
            throw error
        }
        try replyEntry(inode, status, &reply)
        try reply.append(opened(inode, descriptor, flags))
        return .reply
    }

    /// The flags that a backing file is opened with.
    ///
    /// Without O_APPEND: the requests carry offsets, and those that append say so. Without what concerns the path or the
    /// client's own descriptor. The kernel's writeback cache reads the rest of a page before it writes a part of it.
    private func backingFlags(_ flags: CInt) -> CInt {
        let kept = O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC | CLINUX_O_DIRECT | CLINUX_O_NOATIME
        var backing = flags & kept | O_CLOEXEC
        if agreedFlags.contains(.writebackCache) && flags & O_ACCMODE == O_WRONLY {
            backing = backing & ~O_ACCMODE | O_RDWR
        }
        return backing
    }

    /// Opens the file of a descriptor again, with a client's flags of open(2) or with O_PATH.
    ///
    /// - Parameter waits: for the holder of a lease to give it up.
    /// - Throws: EAGAIN instead of waiting.
    func reopen(_ descriptor: CInt, _ flags: CInt, waits: Bool = true) throws(Errno) -> CInt {
        let wanted = flags & CLINUX_O_PATH != 0 ? CLINUX_O_PATH | O_CLOEXEC : backingFlags(flags)
        return try unsafe DescriptorPath(descriptor).withCString { path throws(Errno) in
            func open(_ flags: CInt) throws(Errno) -> CInt {
                let opened = try makingRoom { () throws(Errno) in
                    try Errno.check { unsafe clinux_openat(descriptors, path, waits ? flags : flags | O_NONBLOCK, 0) }
                }
                // For io_uring the flag would mean that reads and writes must not wait either.
                if !waits { _ = fcntl(opened, F_SETFL, flags) }
                return opened
            }
            do throws(Errno) {
                return try open(wanted)
            } catch .notPermitted where flags & O_APPEND != 0 && wanted & O_APPEND == 0 {
                // An append-only file (chattr(1) +a): all that is written to it is appended anyway.
                return try open(wanted | O_APPEND)
            } catch .notPermitted where wanted & CLINUX_O_NOATIME != 0 {
                // Allowed to the client, not to a daemon that neither owns the file nor is privileged.
                return try open(wanted & ~CLINUX_O_NOATIME)
            }
        }
    }

    package func flush(_ request: borrowing Request, _ arguments: fuse_flush_in) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        locks.release(owner: arguments.lock_owner, of: file.inode.node)
        guard !file.inode.fileSystem.isLocal else { return .reply }
        // What close(2) says, the backing filesystem says at each close of a duplicate too.
        let duplicate = try Errno.check { fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0) }
        _ = try Errno.check(retryOnInterrupt: false) { close(duplicate) }
        return .reply
    }

    package func release(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        let file = try files.remove(arguments.fh)
        locks.release(handle: arguments.fh, of: file.inode.node)
        if arguments.release_flags & UInt32(FUSE_RELEASE_FLOCK_UNLOCK) != 0 {
            // A transport may still hold the backing file for a moment, and the lock with it.
            _ = clinux_flock(file.descriptor, LOCK_UN)
        }
        if agreedFlags.contains(.passthrough) { passthroughFiles.release(file.inode.node) }
        return .reply
    }

    /// What INIT agreed on.
    var agreedFlags: InitFlags { InitFlags(rawValue: agreed.load(ordering: .relaxed)) }
}
