/// A way to misbehave on purpose, so that it can be tested that someone notices. `docs/stop-path.md` says who.
///
/// A session has none unless it is configured with one, and asks for it at few places, none of them for each byte.
public enum Fault: String, Sendable, CaseIterable {
    // The ring's entries.
    /// One request is never answered, and its entry with it.
    case neverCommit = "never-commit"
    /// One reply is committed twice, and the refusal taken for that of an entry in use.
    case commitTwice = "commit-twice"
    /// Every 64th reply is committed twice, and the refusal of the second disregarded.
    case duplicateCommit = "duplicate-commit"
    /// Every 64th time, a commit id that nobody knows goes before the reply.
    case unknownCommitID = "unknown-commit-id"
    /// Every reply has a failing commit before it in the same batch.
    case badEntryInBatch = "bad-entry-in-batch"
    /// One reply is committed to another queue than its request's.
    case wrongQueue = "wrong-queue"
    /// Each queue registers one entry less than it has.
    case leakEntry = "leak-entry"
    /// The last queue registers no entry.
    case queueNeverRegisters = "queue-never-registers"
    /// Entries are offered to the kernel before INIT is answered, which refuses them.
    case earlyRegister = "early-register"
    /// The last ring's thread cannot be started.
    case queueThreadFails = "queue-thread-fails"
    /// The last queue's memory cannot be had.
    case allocationFails = "allocation-fails"
    /// The last ring's thread gives up in the midst of its work.
    case queueDies = "queue-dies"

    // Start and stop.
    /// Serving threads do not hear that they shall end.
    case forgetWakeUp = "forget-wake-up"
    /// The mount is left behind.
    case skipUnmount = "skip-unmount"
    /// A signal ends the process on the spot.
    case exitBeforeDraining = "exit-before-draining"
    /// Signals are not heeded.
    case ignoreSignals = "ignore-signals"
    /// At the end, whatever is mounted at the mount point is unmounted.
    case unmountStranger = "unmount-stranger"
    /// A clean stop ends with a status of failure.
    case wrongExitStatus = "wrong-exit-status"
    /// At the end, the mount point is removed.
    case removeMountPoint = "remove-mount-point"
    /// At the end, the kernel log gets a line as the kernel writes it over a ring that is not torn down.
    case logAlarm = "log-alarm"
    /// A child of the daemon keeps `/dev/fuse` open for a minute.
    case childHoldsDevice = "child-holds-device"

    // Requests and resources.
    /// Every reply without a body from the backing file comes 5 s late, from another thread.
    case holdReplies = "hold-replies"
    /// Replies come from other threads than the ones that took the request.
    case offThreadReplies = "off-thread-replies"
    /// The process dies over a request.
    case crashInDispatch = "crash-in-dispatch"
    /// Every 50th GETATTR fails with ENOSPC.
    case wrongError = "wrong-error"
    /// READ answers with what lies one page further on.
    case wrongData = "wrong-data"
    /// WRITE succeeds and writes nothing, every 20th time.
    case loseWrite = "lose-write"
    /// FSYNC succeeds and does nothing.
    case loseFsync = "lose-fsync"
    /// Every OPEN costs a descriptor.
    case leakDescriptor = "leak-descriptor"
    /// Every 50th request costs a thread.
    case leakThread = "leak-thread"
    /// Every request costs 256 KiB.
    case leakBuffer = "leak-buffer"
    /// A thread turns in circles.
    case spin
    /// The statistics count too much.
    case miscount

    /// All of them, for people.
    public static let names = allCases.map(\.rawValue).joined(separator: ", ")
}
