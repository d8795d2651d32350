import CLinux
import Glibc
public import LinuxSystem

extension MountTable {
    /// The table now; empty if it cannot be read.
    public static func current() -> [MountEntry] { (try? read()) ?? [] }

    /// All mounts at or below a path, topmost first.
    public static func mounts(below path: String, in table: [MountEntry] = current()) -> [MountEntry] {
        table.filter { $0.mountPoint == path || $0.mountPoint.hasPrefix(path + "/") }.reversed()
    }

    /// Waits for a condition; asked anew whenever the table changes, and every 20 ms for what else it looks at.
    ///
    /// - Returns: false if it did not hold by the end of the time.
    package static func wait(for duration: Duration, until condition: ([MountEntry]) -> Bool) -> Bool {
        let file = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        let deadline = Deadline(after: duration)
        while true {
            if condition(current()) { return true }
            if deadline.hasPassed { return false }
            var entry = pollfd(fd: file, events: Int16(POLLPRI), revents: 0)
            // EINTR only asks again.
            _ = poll(&entry, 1, min(deadline.millisecondsLeft, 20))
        }
    }
}
