import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// How long a stop waits for others: until its time is up, and no longer at all once one more signal has come.
struct StopDeadline {
    private let signals: FileDescriptor
    private let deadline: Deadline
    private var isHurried = false

    /// - Parameter signals: a signalfd(2), which does not block.
    init(_ signals: FileDescriptor, until deadline: Deadline) {
        self.signals = signals
        self.deadline = deadline
    }

    /// Waits until `condition` holds.
    mutating func wait(for condition: () -> Bool) {
        while !isHurried, !deadline.hasPassed, !condition() {
            var entry = pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0)
            unsafe poll(&entry, 1, 1)
            if signals.takeSignal() != nil { isHurried = true }
        }
    }
}

extension FileDescriptor {
    /// The next signal of a signalfd(2); nil if there is none.
    func takeSignal() -> CInt? {
        var info = signalfd_siginfo()
        let count = try? Errno.check { unsafe Glibc.read(rawValue, &info, MemoryLayout<signalfd_siginfo>.size) }
        return count == MemoryLayout<signalfd_siginfo>.size ? CInt(bitPattern: info.ssi_signo) : nil
    }
}
