/// What a handler answers. Returning it is the reply, so none can be forgotten or sent twice; a thrown errno is one, too.
public enum Reply<Value: Sendable>: Sendable {
    /// The answer.
    case now(Value)
    /// The answer comes later, and the thread that took the request serves on.
    case later(Deferred<Value>)

    /// The answer is what `body` returns, which may await.
    ///
    /// An errno that it throws is the reply; any other error is EIO. When the caller is interrupted by a signal the task is
    /// cancelled, and a `CancellationError` answers EINTR. When the session stops it is cancelled and answered with EINTR at once,
    /// whether it ends or not.
    ///
    /// What it needs of the request it must take with it: the request's memory is gone by then. It may not wait for another request
    /// of the same mount.
    public static func async(_ body: @escaping @Sendable () async throws -> Value) -> Reply {
        .later(.task(body))
    }

    /// The answer is what `body` returns, which may block: it runs on a thread of its own.
    ///
    /// What it needs of the request it must take with it: the request's memory is gone by then. It may not wait for another request
    /// of the same mount. Nothing ends it but itself: a session whose threads do not end stops without them
    /// (``StopReport/leftovers``).
    public static func blocking(_ body: @escaping @Sendable () throws(Errno) -> Value) -> Reply {
        .later(.thread(body))
    }
}

extension Reply where Value == Void {
    /// Done, and nothing more to say.
    public static var done: Reply { .now(()) }
}

extension Reply where Value == ReadResult {
    /// All there is to read lies in the reply buffer; nothing there is the end of the file.
    public static var written: Reply { .now(.buffer) }
}

extension Reply where Value == ReaddirResult {
    /// As many names as fit lie in the list; none there is the end of the directory.
    public static var written: Reply { .now(.list) }

    /// The whole directory, whatever was asked for: the right names are taken from it. For directories that nobody changes while they
    /// are listed: a name is known by its place among the others.
    public static func entries(_ all: [DirectoryEntry]) -> Reply { .now(.entries(all)) }
}

/// How an answer comes about that comes later.
public enum Deferred<Value: Sendable>: Sendable {
    /// By a task: ``Reply/async(_:)``.
    case task(@Sendable () async throws -> Value)
    /// On a thread that may block: ``Reply/blocking(_:)``.
    case thread(@Sendable () throws(Errno) -> Value)
}

/// What a READ replies.
public enum ReadResult: Sendable {
    /// What lies in the reply buffer. An answer that comes later has none, and is empty then.
    case buffer
    /// These bytes; what is beyond those that were asked for is cut off.
    case bytes([UInt8])
    /// What a file has at this offset: the transport reads it straight into the reply, without blocking its thread.
    case file(BackingFile, at: Int64)
}

/// What a WRITE replies.
public enum WriteResult: Sendable {
    /// So many bytes were written; fewer than there were if the rest failed.
    case count(Int)
    /// The transport writes the data to a file at this offset, straight from the request and without blocking its thread. An answer that
    /// comes later has no data left, and is EIO then.
    case file(BackingFile, at: Int64)
}

/// What a READDIR replies.
public enum ReaddirResult: Sendable {
    /// What lies in the list. An answer that comes later has none, and is empty then.
    case list
    /// The whole directory (``Reply/entries(_:)``).
    case entries([DirectoryEntry])
}
