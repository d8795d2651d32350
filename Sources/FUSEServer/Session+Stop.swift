import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// How a session ended.
public struct StopReport: Sendable {
    public let cause: StopCause
    /// What did not end in time; empty after a clean stop.
    public let leftovers: [String]

    /// A clean stop, for whatever reason but a failure.
    public var isClean: Bool {
        if case .failure = cause { return false }
        return leftovers.isEmpty
    }
}

extension Session {
    /// Waits for the end of the connection or a signal, then stops: takes no more requests, finishes what is in hand
    /// within the deadline, wakes and joins every thread, unmounts if still mounted and still ours.
    ///
    /// - Parameter signals: a signalfd(2) of the signals that ask for a stop. A second one skips the waiting.
    public func run(_ transport: any Transport, signals: FileDescriptor) -> StopReport {
        misbehaveAtTheStart()
        let cause = waitForCause(signals)
        transition(to: .stopping, because: "\(cause)")
        let deadline = Deadline(secondsFromNow: configuration.stopTimeout)
        if case .signal = cause, configuration.fault != .skipUnmount {
            leave(transport, signals: signals, deadline: deadline)
        } else {
            transport.drain()
            waitUntilIdle(transport, signals: signals, deadline: deadline)
        }
        fileSystem.interruptWaiters()
        // Threads get a little longer than requests: those still in hand are given up, and their threads then end.
        let last = Deadline(secondsFromNow: 1)
        let leftovers = transport.stop(until: last) + blockingWork.join(until: last)
        if leftovers.isEmpty { fileSystem.stop() }
        if connection.isMounted && configuration.fault != .skipUnmount { try? connection.unmount(.lazy) }
        StatisticsSocket.remove(connection: connection.number, inode: statisticsSocket.load(ordering: .relaxed))
        transition(to: .stopped, because: "\(cause)")
        misbehaveAtTheEnd()
        return StopReport(cause: cause, leftovers: leftovers)
    }

    /// Takes back a mount whose negotiation failed.
    public func abandon(_ transport: any Transport) {
        _ = transport.stop(until: Deadline(secondsFromNow: 1))
        try? connection.unmount(.force)
        try? connection.unmount(.lazy)
        transition(to: .stopped, because: "it could not be started")
    }

    private func waitForCause(_ signals: FileDescriptor) -> StopCause {
        while true {
            wait(signals, milliseconds: -1)
            if let number = takeSignal(signals) {
                if configuration.fault == .exitBeforeDraining { _exit(0) }
                if configuration.fault != .ignoreSignals { return .signal(number) }
            }
            if let cause = endCause { return cause }
        }
    }

    /// The daemon wants to go. An idle mount is unmounted like umount(8) does, with everything written back through the
    /// transport, which still serves. A busy one, or one that was lazily unmounted, is drained and then cut: its clients
    /// see the connection end.
    private func leave(_ transport: any Transport, signals: FileDescriptor, deadline: Deadline) {
        if unmountIdle(signals: signals, deadline: deadline) {
            // The readers of /dev/fuse are told in a moment, unless the mount lives on in another namespace.
            while endCause == nil, !deadline.hasPassed {
                wait(signals, milliseconds: 1)
                if takeSignal(signals) != nil { break }
            }
        }
        guard endCause == nil else { return }
        transport.drain()
        waitUntilIdle(transport, signals: signals, deadline: deadline)
        // Aborting wakes every client and ends every command in the kernel. Without the right to, closing the
        // descriptors at the end does the same.
        try? connection.unmount(.force)
        if connection.isMounted { try? connection.unmount(.lazy) }
    }

    /// Unmounts on a thread of its own, since that may wait for writeback, and leaves the signals to this one.
    ///
    /// - Returns: whether it was mounted and is no longer.
    private func unmountIdle(signals: FileDescriptor, deadline: Deadline) -> Bool {
        guard connection.isMounted else { return false }
        let unmounting = try? ServerThread.start(name: "unmount") { [self] in
            do throws(Errno) {
                try connection.unmount(.ifIdle)
            } catch {
                log.debug("unmount: \(error)")
            }
        }
        while let unmounting, !unmounting.hasEnded, endCause == nil, !deadline.hasPassed {
            wait(signals, milliseconds: 1)
            if takeSignal(signals) != nil { return false }
        }
        return !connection.isMounted
    }

    private func waitUntilIdle(_ transport: any Transport, signals: FileDescriptor, deadline: Deadline) {
        while transport.requestsInHand > 0, !deadline.hasPassed {
            wait(signals, milliseconds: 1)
            if takeSignal(signals) != nil { return }
        }
    }

    private func wait(_ signals: FileDescriptor, milliseconds: CInt) {
        var descriptors = [
            pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: endCause == nil ? ended.descriptor.rawValue : -1, events: Int16(POLLIN), revents: 0),
        ]
        poll(&descriptors, 2, milliseconds)
    }

    private func takeSignal(_ signals: FileDescriptor) -> CInt? {
        var info = signalfd_siginfo()
        let count = try? Errno.check { read(signals.rawValue, &info, MemoryLayout<signalfd_siginfo>.size) }
        return count == MemoryLayout<signalfd_siginfo>.size ? CInt(bitPattern: info.ssi_signo) : nil
    }
}
