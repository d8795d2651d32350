import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Many processes of one CPU that wait for the same lock. Nobody else may have to wait with them: another client of that CPU
/// is served, and so is the one that has the lock and lets go of it. They want to share it, and so have it all at once then: a
/// daemon that they hold up is free again.
struct LockCrowd {
    enum Kind {
        case flock
        case record
    }

    let kind: Kind
    let context: CheckContext

    /// More than a daemon has threads, or a queue entries.
    private static let size = 80
    /// Milliseconds that others may have to wait for an answer.
    private static let patience = CInt(5000 * Pace.inherited.factor)

    func check() throws {
        try FS.create("f", "x")
        try FS.create("g", "other")
        // Held behind the mount at first: from there it can be let go of, whatever the crowd does to the daemon.
        if let source = context.source, try isSeen(at: source / "f") { try holdBehind(source / "f") }
        try holdThroughTheMount()
    }

    /// Whether locks of the mount are locks of its source.
    private func isSeen(at path: Path) throws -> Bool {
        let file = try File("f", O_RDWR)
        try set(file, F_WRLCK)
        let child = try Child("behind the mount") {
            try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "lock behind the mount") {
                try set(try File(path, O_RDWR), F_WRLCK)
            }
        }
        defer { try? set(file, F_UNLCK) }
        return child.wait() == 0
    }

    private func holdBehind(_ path: Path) throws {
        let file = try File(path, O_RDWR)
        try set(file, F_WRLCK)
        try gather { try set(file, F_UNLCK) }
    }

    private func holdThroughTheMount() throws {
        let (held, letGo, gone) = (try Gate(), try Gate(), try Gate())
        let cpu = clinux_cpu()
        let holder = try Child("holder") {
            try pin(to: cpu)
            let file = try File("f", O_RDWR)
            try set(file, F_WRLCK)
            held.open()
            try letGo.pass()
            try set(file, F_UNLCK)
            gone.open()
        }
        try holder.reach(held)
        try gather {
            letGo.open()
            if try !gone.isOpen(within: LockCrowd.patience) {
                throw unanswered("the holder's unlock")
            }
        }
        try holder.join()
    }

    /// Has the crowd wait for a lock that is held, looks how others fare, lets go of it, and sees everybody have it.
    private func gather(_ letGo: () throws -> Void) throws {
        let (asked, had, answered) = (try Gate(), try Gate(), try Gate())
        let cpu = clinux_cpu()
        let waiters = try (0..<LockCrowd.size).map { number in
            try Child("waiter \(number)") {
                try pin(to: cpu)
                let file = try File("f", O_RDWR)
                asked.open()
                try set(file, F_RDLCK, wait: true)
                had.open()
            }
        }
        // On a daemon that is blocked already the last do not come as far.
        _ = try count(asked, within: LockCrowd.patience)
        usleep(300_000)
        let client = try Child("another client") {
            try pin(to: cpu)
            try FS.create("h", try FS.contents("g"))
            answered.open()
        }
        let isServed = try answered.isOpen(within: LockCrowd.patience)
        try letGo()
        let successes = try count(had, within: 4 * LockCrowd.patience)
        guard isServed else { throw unanswered("another client of their CPU") }
        try expect("waiters that had the lock in the end", successes, is: LockCrowd.size, path: "f")
        for child in waiters + [client] { try child.join() }
    }

    /// How many have opened the gate, up to the crowd's size, in this time (milliseconds).
    private func count(_ gate: Gate, within milliseconds: CInt) throws -> Int {
        let end = Deadline(after: .milliseconds(milliseconds))
        for number in 0..<LockCrowd.size {
            guard try gate.isOpen(within: end.millisecondsLeft) else { return number }
            try gate.pass()
        }
        return LockCrowd.size
    }

    private func unanswered(_ who: String) -> CheckFailure {
        CheckFailure(
            "\(who), while \(LockCrowd.size) processes wait for a lock", expected: "an answer",
            got: "none in \(LockCrowd.patience / 1000) s")
    }

    private func set(_ file: File, _ type: CInt, wait: Bool = false) throws {
        switch kind {
        case .flock:
            let operation = type == F_UNLCK ? LOCK_UN : type == F_RDLCK ? LOCK_SH : LOCK_EX
            try file.flock(operation | (wait ? 0 : LOCK_NB))
        case .record: try file.lock(wait ? F_SETLKW : F_SETLK, type)
        }
    }
}

/// Keeps the calling process on a CPU.
func pin(to cpu: CInt) throws {
    try call("sched_setaffinity") { clinux_place_thread([cpu], 1) }
}
