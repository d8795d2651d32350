/// The reply to INIT: what the kernel may rely on from then on.
public struct InitMove: MoveShape {
    enum Flags: String, CaseIterable, MoveValue { case usual, ring, none, offered, every }
    /// What the kernel's idea of an entry's payload follows from, max_write and max_pages together.
    enum Size: String, CaseIterable, MoveValue { case usual, small, large }
    enum MaxWrite: String, CaseIterable, MoveValue { case usual, zero, page, huge }
    enum MaxPages: String, CaseIterable, MoveValue { case usual, zero, one, most }
    enum Reply: String, CaseIterable, MoveValue { case once, short, long, twice, never, cloned, error }
    enum Version: String, CaseIterable, MoveValue { case same, old, other, future }
    enum Background: String, CaseIterable, MoveValue { case usual, zero, one, most }

    var flags = Flags.usual
    var size = Size.usual
    var maxWrite = MaxWrite.usual
    var maxPages = MaxPages.usual
    var reply = Reply.once
    var version = Version.same
    var background = Background.usual

    public init() {}
    static let verb = "init"
    static var fields: [MoveField<InitMove>] {
        [
            MoveField("flags", \.flags), MoveField("size", \.size), MoveField("max_write", \.maxWrite),
            MoveField("max_pages", \.maxPages), MoveField("reply", \.reply), MoveField("version", \.version),
            MoveField("background", \.background),
        ]
    }
    var move: Move { .initialize(self) }
}

/// REGISTER: new entries for one queue or for each.
public struct RegisterMove: MoveShape {
    enum Queue: String, CaseIterable, MoveValue { case every, first, last, beyond }
    enum Ring: String, CaseIterable, MoveValue { case first, second }
    enum Payload: String, CaseIterable, MoveValue { case ample, least, short, zero }
    enum Header: String, CaseIterable, MoveValue { case whole, odd, short, null }
    /// What the buffers are made of.
    enum Memory: String, CaseIterable, MoveValue {
        case own, unmapped, readonly, overlapping, shared, ring, kernel
    }
    enum Vectors: String, CaseIterable, MoveValue { case two, one, three, null }

    var queue = Queue.every
    var depth = Count(1)
    var ring = Ring.first
    var payload = Payload.ample
    var header = Header.whole
    var memory = Memory.own
    var vectors = Vectors.two

    public init() {}
    static let verb = "register"
    static var fields: [MoveField<RegisterMove>] {
        [
            MoveField("queue", \.queue), MoveField("depth", \.depth), MoveField("ring", \.ring),
            MoveField("payload", \.payload), MoveField("header", \.header), MoveField("memory", \.memory),
            MoveField("vectors", \.vectors),
        ]
    }
    var move: Move { .register(self) }
}

/// Answers requests as a good daemon does.
public struct ServeMove: MoveShape {
    var count = Count(1)

    public init() {}
    static let verb = "serve"
    static var fields: [MoveField<ServeMove>] { [MoveField("count", \.count)] }
    var move: Move { .serve(self) }
}

/// COMMIT_AND_FETCH of one entry.
public struct CommitMove: MoveShape {
    /// What the entry holds.
    enum Entry: String, CaseIterable, MoveValue { case held, ready, refused }
    enum Identity: String, CaseIterable, MoveValue { case own, stale, other, unknown, zero }
    enum Queue: String, CaseIterable, MoveValue { case own, other, beyond }
    /// `over`: one byte more than the kernel takes the entry to have.
    enum Payload: String, CaseIterable, MoveValue { case same, zero, short, over, huge }
    enum Status: String, CaseIterable, MoveValue { case same, failed, positive, absurd }
    enum Unique: String, CaseIterable, MoveValue { case own, wrong, zero, interrupt }
    enum Length: String, CaseIterable, MoveValue { case same, zero, huge }
    /// What contradicts itself in the reply.
    enum Body: String, CaseIterable, MoveValue { case plain, type, node, overrun, noise }
    enum Way: String, CaseIterable, MoveValue { case ring, device, linked, drained, async, both }
    enum Times: String, CaseIterable, MoveValue { case once, twice }

    var entry = Entry.held
    var number = Ordinal(0)
    var identity = Identity.own
    var queue = Queue.own
    var payload = Payload.same
    var status = Status.same
    var unique = Unique.own
    var length = Length.same
    var body = Body.plain
    var way = Way.ring
    var times = Times.once

    public init() {}
    static let verb = "commit"
    static var fields: [MoveField<CommitMove>] {
        [
            MoveField("entry", \.entry), MoveField("number", \.number), MoveField("id", \.identity),
            MoveField("queue", \.queue), MoveField("payload", \.payload), MoveField("error", \.status),
            MoveField("unique", \.unique), MoveField("length", \.length), MoveField("body", \.body),
            MoveField("way", \.way), MoveField("times", \.times),
        ]
    }
    var move: Move { .commit(self) }
}

/// A process that uses the mount.
public struct ClientMove: MoveShape {
    enum Operation: String, CaseIterable, MoveValue {
        case lookup, stat, read, write, map, lock, setxattr, getxattr, listxattr, readdir, create, statfs, truncate,
            fsync, copy,
            poll, ioctl
    }

    var operation = Operation.lookup
    var count = Count(1)

    public init() {}
    static let verb = "client"
    static var fields: [MoveField<ClientMove>] {
        [MoveField("does", \.operation), MoveField("count", \.count)]
    }
    var move: Move { .client(self) }
}

/// What a ring leaves to `/dev/fuse`, or should.
public struct DeviceMove: MoveShape {
    enum Act: String, CaseIterable, MoveValue { case read, clone, garbage, empty, poll, back, close }

    var act = Act.read

    public init() {}
    init(_ act: Act) { self.act = act }
    static let verb = "device"
    static var fields: [MoveField<DeviceMove>] { [MoveField("act", \.act)] }
    var move: Move { .device(self) }
}

/// A notification, written to `/dev/fuse`.
public struct NotifyMove: MoveShape {
    enum Kind: String, CaseIterable, MoveValue {
        case invalidateInode, invalidateEntry, store, retrieve, delete, poll, resend, epoch, prune, unknown
    }
    enum Lie: String, CaseIterable, MoveValue { case none, short, long, node, name, offset }

    var kind = Kind.invalidateInode
    var lie = Lie.none

    public init() {}
    static let verb = "notify"
    static var fields: [MoveField<NotifyMove>] { [MoveField("kind", \.kind), MoveField("lie", \.lie)] }
    var move: Move { .notify(self) }
}

/// What happens to a ring as such.
public struct RingMove: MoveShape {
    enum Act: String, CaseIterable, MoveValue {
        case cancel, cancelOne, overflow, resize, inherit, close, sqpoll, iopoll, deferred, wide
    }

    var act = Act.cancel
    var ring = RegisterMove.Ring.first

    public init() {}
    static let verb = "ring"
    static var fields: [MoveField<RingMove>] { [MoveField("act", \.act), MoveField("ring", \.ring)] }
    var move: Move { .ring(self) }
}

/// What happens to an entry's buffers after they were registered.
public struct MemoryMove: MoveShape {
    enum Act: String, CaseIterable, MoveValue { case punch, unmap, readonly, replace }
    enum Part: String, CaseIterable, MoveValue { case payload, header }

    var act = Act.punch
    var part = Part.payload
    var number = Ordinal(0)

    public init() {}
    static let verb = "memory"
    static var fields: [MoveField<MemoryMove>] {
        [MoveField("act", \.act), MoveField("part", \.part), MoveField("number", \.number)]
    }
    var move: Move { .memory(self) }
}

/// ADD_QUEUE and ADD_BUFPOOL (protocol 7.46).
public struct PoolMove: MoveShape {
    enum Act: String, CaseIterable, MoveValue { case queue, zeroCopyQueue, buffers }
    enum Queue: String, CaseIterable, MoveValue { case every, first, beyond }
    enum Size: String, CaseIterable, MoveValue { case two, one, odd, zero, huge }
    enum Memory: String, CaseIterable, MoveValue { case own, unmapped, odd }

    var act = Act.queue
    var queue = Queue.every
    var size = Size.two
    var memory = Memory.own

    public init() {}
    static let verb = "pool"
    static var fields: [MoveField<PoolMove>] {
        [
            MoveField("add", \.act), MoveField("queue", \.queue), MoveField("size", \.size),
            MoveField("memory", \.memory),
        ]
    }
    var move: Move { .pool(self) }
}

/// What others do to connection, mount and processes.
public struct WorldMove: MoveShape {
    enum Act: String, CaseIterable, MoveValue {
        case abort, unmount, lazyUnmount, forceUnmount, bind, killClients, stopClients, dropCaches, killDaemon
    }

    var act = Act.abort

    public init() {}
    static let verb = "world"
    static var fields: [MoveField<WorldMove>] { [MoveField("act", \.act)] }
    var move: Move { .world(self) }
}

/// Lets time pass: so many milliseconds.
public struct PauseMove: MoveShape {
    var milliseconds = Count(8)

    public init() {}
    static let verb = "pause"
    static var fields: [MoveField<PauseMove>] { [MoveField("ms", \.milliseconds)] }
    var move: Move { .pause(self) }
}
