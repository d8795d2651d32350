package import CFUSE
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
package import SystemPackage

/// A filesystem that does one thing wrong and everything else as the one that it wraps.
package final class FaultyFileSystem: FileSystem {
    let inner: any FileSystem
    let fault: Fault
    /// Counts what goes wrong only now and then.
    let counter = Atomic<Int>(0)
    /// Counts all requests.
    let requests = Atomic<Int>(0)
    /// What goes wrong only once has gone wrong.
    let hasHappened = Atomic<Bool>(false)
    /// The attributes of each node as they were told first.
    let first = Lock<[UInt64: fuse_attr]>([:])
    /// The mode that each node was told to have.
    let modes = Lock<[UInt64: UInt32]>([:])
    /// By which name in which directory each node was found last.
    let names = Lock<[UInt64: (parent: UInt64, name: [UInt8])]>([:])
    /// Nodes that are not known any more.
    let forgotten = Lock<Set<UInt64>>([])
    /// Who created something last, and when.
    let lastCreator = Lock<(user: UInt32, group: UInt32, time: UInt64)>((0, 0, 0))

    package init(wrapping inner: any FileSystem, fault: Fault) {
        self.inner = inner
        self.fault = fault
    }

    /// Whether attributes are told that are not the file's.
    var changesAttributes: Bool {
        [.wrongLinkCount, .unstableInode, .staleAttribute, .modeToldOnly, .forgetsTooMuch].contains(fault)
    }

    /// True once in so many calls.
    func isTurn(_ interval: Int) -> Bool {
        counter.add(1, ordering: .relaxed).newValue % interval == 0
    }

    package var wantedFlags: InitFlags {
        // Entries come by LOOKUP alone, where it is seen that a node is known again.
        fault == .forgetsTooMuch
            ? inner.wantedFlags.subtracting([.readdirplus, .readdirplusAuto]) : inner.wantedFlags
    }
    package func start(_ agreed: InitFlags) { inner.start(agreed) }
    package func stop() { inner.stop() }
    package func interruptWaiters() { inner.interruptWaiters() }
    package func interrupt(unique: UInt64) {
        if fault != .interruptIgnored { inner.interrupt(unique: unique) }
    }
    package func forget(node: UInt64, count: UInt64) {
        if fault == .forgetsTooMuch { _ = forgotten.withLock { $0.insert(node) } }
        inner.forget(node: node, count: count)
    }

    package func statx(
        _ request: borrowing Request, _ arguments: cfuse_statx_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        // The kernel then asks with GETATTR, where the attributes are made wrong.
        if changesAttributes { throw .noFunction }
        return try inner.statx(request, arguments, reply: &reply)
    }

    package func open(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        if fault == .openByName { return try openByName(request, arguments, reply: &reply) }
        var changed = arguments
        if fault == .openTruncateForgotten { changed.flags &= ~UInt32(O_TRUNC) }
        return try inner.open(request, changed, reply: &reply)
    }

    package func flush(_ request: borrowing Request, _ arguments: fuse_flush_in) throws(Errno) -> Outcome {
        try inner.flush(request, arguments)
    }

    package func release(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        try inner.release(request, arguments)
    }

    package func fsync(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        try inner.fsync(request, arguments)
    }

    package func lseek(
        _ request: borrowing Request, _ arguments: fuse_lseek_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try inner.lseek(request, arguments, reply: &reply)
    }

    package func copyFileRange(
        _ request: borrowing Request, _ arguments: fuse_copy_file_range_in, extended: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try inner.copyFileRange(request, arguments, extended: extended, reply: &reply)
    }

    package func opendir(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try inner.opendir(request, arguments, reply: &reply)
    }

    package func releasedir(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        try inner.releasedir(request, arguments)
    }

    package func fsyncdir(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        try inner.fsyncdir(request, arguments)
    }

    package func syncfs(_ request: borrowing Request) throws(Errno) -> Outcome { try inner.syncfs(request) }

    package func access(_ request: borrowing Request, mask: UInt32) throws(Errno) -> Outcome {
        try inner.access(request, mask: mask)
    }

    package func getxattr(
        _ request: borrowing Request, name: Name, size: Int, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try inner.getxattr(request, name: name, size: size, reply: &reply)
    }

    package func listxattr(_ request: borrowing Request, size: Int, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        try inner.listxattr(request, size: size, reply: &reply)
    }

    package func removexattr(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        try inner.removexattr(request, name: name)
    }

    package func getlk(
        _ request: borrowing Request, _ arguments: fuse_lk_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try inner.getlk(request, arguments, reply: &reply)
    }

    package func ioctl(
        _ request: borrowing Request, _ arguments: fuse_ioctl_in, input: RawSpan, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try inner.ioctl(request, arguments, input: input, reply: &reply)
    }

    package func poll(
        _ request: borrowing Request, _ arguments: fuse_poll_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try inner.poll(request, arguments, reply: &reply)
    }
}
