import Foundation
import Synchronization

/// SIGINT, SIGTERM and SIGHUP as something to ask for, taken by a thread of its own. A second one, a moment later, ends the process:
/// timeout(1) sends each signal to its child and to its group, which is one wish.
final class StopSignals: Sendable {
    private let first = Atomic<Int32>(0)
    /// Signals within this time are one.
    private static let oneWish = Duration.seconds(1)

    /// To be made before other threads are started: they inherit the mask.
    init() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let set = signals
        Thread.detachNewThread { [self] in
            var set = set
            var began = ContinuousClock.now
            while true {
                var signal: Int32 = 0
                guard sigwait(&set, &signal) == 0 else { continue }
                let (isFirst, _) = first.compareExchange(expected: 0, desired: signal, ordering: .relaxed)
                if isFirst { began = .now }
                if isFirst || began.duration(to: .now) < StopSignals.oneWish { continue }
                // The terminal is given back; what runs is left to `fstestkit clean` or a resume.
                if isatty(1) == 1 { write(1, "\u{1b}[?7h\u{1b}[?25h", 11) }
                let words = "\nfstestkit: ended at once; 'fstestkit clean' takes down what was left\n"
                write(2, words, words.utf8.count)
                _exit(128 + signal)
            }
        }
    }

    /// The signal that came, or nil.
    var received: Int32? {
        let signal = first.load(ordering: .relaxed)
        return signal == 0 ? nil : signal
    }
}
