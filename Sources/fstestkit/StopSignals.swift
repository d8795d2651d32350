import Foundation
import Synchronization

/// SIGINT, SIGTERM and SIGHUP as something to ask for, taken by a thread of its own. The second one ends the process.
final class StopSignals: Sendable {
    private let first = Atomic<Int32>(0)

    /// To be made before other threads are started: they inherit the mask.
    init() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let set = signals
        Thread.detachNewThread { [self] in
            var set = set
            while true {
                var signal: Int32 = 0
                guard sigwait(&set, &signal) == 0 else { continue }
                let (isFirst, _) = first.compareExchange(expected: 0, desired: signal, ordering: .relaxed)
                // The terminal is given back; suites are left to `fstestkit clean` or a resume.
                if !isFirst { write(1, "\u{1b}[?7h\u{1b}[?25h", 11); _exit(128 + signal) }
            }
        }
    }

    /// The signal that came, or nil.
    var received: Int32? {
        let signal = first.load(ordering: .relaxed)
        return signal == 0 ? nil : signal
    }
}
