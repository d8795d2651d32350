import CLinux
import Glibc
import LinuxSystem
import Logging
package import SystemPackage

extension Session {
    /// Waits for the end of the connection or a signal, then stops: takes no more requests, finishes what is in hand
    /// within the deadline, wakes and joins every thread, unmounts if still mounted and still ours.
    ///
    /// - Parameter signals: a signalfd(2) of the signals that ask for a stop. A second one skips the waiting.
    package func run(_ transport: any Transport, signals: FileDescriptor) -> StopReport {
        let signals = configuration.hook?.signals(signals) ?? signals
        configuration.hook?.sessionRuns(on: connection)
        let cause = waitForCause(signals)
        transition(to: .stopping, because: "\(cause)")
        var deadline = StopDeadline(signals, until: Deadline(secondsFromNow: configuration.stopTimeout))
        if case .signal = cause {
            leave(transport, &deadline)
        } else {
            drain(transport)
            deadline.wait { transport.requestsInHand == 0 }
        }
        fileSystem.interruptWaiters()
        // Threads get a little longer than requests: those still in hand are given up, and their threads then end.
        let last = Deadline(secondsFromNow: configuration.stopTimeout / 3)
        let leftovers = transport.stop(until: last) + blockingWork.join(until: last)
        if leftovers.isEmpty { fileSystem.stop() }
        if connection.isMounted { try? connection.unmount(.lazy) }
        statisticsListener.withLock { $0 }?.close()
        transition(to: .stopped, because: "\(cause)")
        configuration.hook?.sessionEnded(on: connection)
        return StopReport(cause: cause, leftovers: leftovers)
    }

    /// Takes back a mount whose negotiation failed. The transport has stopped already.
    package func abandon() {
        try? connection.unmount(.force)
        try? connection.unmount(.lazy)
        transition(to: .stopped, because: "it could not be started")
    }

    private func waitForCause(_ signals: FileDescriptor) -> StopCause {
        while true {
            var descriptors = [signals, ended.descriptor].map {
                pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0)
            }
            unsafe poll(&descriptors, 2, -1)
            if let number = signals.takeSignal() { return .signal(number) }
            if let cause = endCause { return cause }
        }
    }

    /// The daemon wants to go. An idle mount is unmounted like umount(8) does, with everything written back through the
    /// transport, which still serves. A busy one, or one that was lazily unmounted, is drained and then cut: its clients
    /// see the connection end.
    private func leave(_ transport: any Transport, _ deadline: inout StopDeadline) {
        if unmountIdle(&deadline) {
            // The readers of /dev/fuse are told in a moment, unless the mount lives on in another namespace.
            deadline.wait { endCause != nil }
        }
        guard endCause == nil else { return }
        drain(transport)
        deadline.wait { transport.requestsInHand == 0 }
        // Aborting wakes every client and ends every command in the kernel. Without the right to, closing the
        // descriptors at the end does the same.
        try? connection.unmount(.force)
        if connection.isMounted { try? connection.unmount(.lazy) }
    }

    /// Unmounts on a thread of its own, since that may wait for writeback, and leaves the signals to this one.
    ///
    /// - Returns: whether it was mounted and is no longer.
    private func unmountIdle(_ deadline: inout StopDeadline) -> Bool {
        guard connection.isMounted else { return false }
        let unmounting = try? ServerThread.start(name: "unmount") { [self] in
            do throws(Errno) {
                try connection.unmount(.ifIdle)
            } catch {
                log.debug("unmount: \(error)")
            }
        }
        if let unmounting { deadline.wait { unmounting.hasEnded || endCause != nil } }
        return !connection.isMounted
    }

    /// No request is served any more: no unlock either, so that whoever waits for a lock does so in vain.
    private func drain(_ transport: any Transport) {
        transport.drain()
        fileSystem.interruptWaiters()
    }
}
